SELECT workers, requeued, held, promoted FROM reap()
