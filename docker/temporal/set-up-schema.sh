#!/bin/sh
# Makes Temporal's two databases and brings their schemas to the version of this image. Safe to run at every start:
# a database that is there is left alone, and only what is newer than its recorded version is applied.
# Host, user, plugin and password come from SQL_HOST, SQL_PORT, SQL_USER, SQL_PLUGIN and SQL_PASSWORD.
set -eu
schemas=${TEMPORAL_SCHEMA_DIR:-/etc/temporal/schema/postgresql/v12}

prepare() {
  temporal-sql-tool --db "$1" create
  temporal-sql-tool --db "$1" setup-schema -v 0.0
  temporal-sql-tool --db "$1" update-schema -d "$schemas/$2/versioned"
}

prepare temporal temporal
prepare temporal_visibility visibility
