"""RDS: a DB instance is a PostgreSQL server on an address of its own, with its parameters, its users and its statuses.

Any major version from 13 to 18 may be declared and is shown as declared; PostgreSQL 18 is what runs.
"""

from rehearsal.cloud.services.rds.service import Rds

__all__ = ["Rds"]
