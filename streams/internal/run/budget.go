package run

// budget is how MemoryBytes is divided. Go's collector needs room of its own beside it
// (about as much again, with GOGC at 100).
type budget struct {
	// fetch is what the consumer has fetched and nobody has polled.
	fetch int64
	// queues are the records polled and not processed yet, of all tasks.
	queues int64
	// restore is what was read from changelogs and is not in the stores yet.
	restore int64
	// produce is what was handed to the producers and is not acknowledged, of all workers.
	produce int64
	// disk is the block cache and the memory tables of the stores on disk.
	disk int64
	// stores are those in memory, changes not committed, decoded values and the record cache.
	stores int64
}

// MinMemory is the least MemoryBytes that works.
const MinMemory = 32 << 20

func divide(total int64) budget {
	b := budget{fetch: total / 16, queues: total / 8, restore: total / 16, produce: total / 16, disk: total / 4}
	b.stores = total - b.fetch - b.queues - b.restore - b.produce - b.disk
	return b
}
