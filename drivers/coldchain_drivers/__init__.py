"""Device drivers: bytes in, readings as sent out. A driver knows no rule, no thread and no clock."""
