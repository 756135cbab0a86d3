#!/bin/sh
# Waits for the server, makes the namespace and registers what patch.moi searches by. Safe to run at every start.
# The server is named by TEMPORAL_ADDRESS, the namespace by TEMPORAL_NAMESPACE.
set -eu
namespace=${TEMPORAL_NAMESPACE:-default}

# The port opens before the services behind it have found each other.
tries=60
until temporal operator cluster health; do
  tries=$((tries - 1))
  [ "$tries" -gt 0 ] || { echo "Temporal at $TEMPORAL_ADDRESS does not get healthy" >&2; exit 1; }
  sleep 2
done

# How long the Web UI shows attempts that have ended. Attempts that wait do not count: they stay for as long as it takes.
retention=365d
if temporal operator namespace describe --namespace "$namespace" > /dev/null 2>&1; then
  temporal operator namespace update --namespace "$namespace" --retention "$retention"
else
  temporal operator namespace create --namespace "$namespace" --retention "$retention"
fi

# A new namespace is known to all of the server's parts only after some seconds.
for name in PatchFork PatchTag PatchStatus PatchEventId; do
  tries=30
  until temporal operator search-attribute create --namespace "$namespace" --name "$name" --type Keyword; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { echo "the search attribute $name cannot be registered" >&2; exit 1; }
    sleep 2
  done
done
