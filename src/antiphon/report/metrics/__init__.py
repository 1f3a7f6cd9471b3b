"""The figures of a load for those who collect such: Prometheus, OpenTelemetry."""
