"""How much of what AWS charges for a resource uses a month; one file a kind of resource, no prices."""
