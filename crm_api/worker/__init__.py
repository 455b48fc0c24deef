"""The worker: what must happen without anybody asking, once each."""
