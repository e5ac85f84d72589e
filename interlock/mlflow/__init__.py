"""The adapter that talks to an MLflow server, with MLflow's own client."""
