"""Numbers about what serves: drift, fairness, service levels. Plain numpy; no network, no clock."""
