package node

// Compacted says that records without a key have no place in the topic.
func (t *Topic) Compacted() bool { return t.settings.Load().log.Compact }

// Deletes says that records may be deleted for their age, and at a client's wish.
func (t *Topic) Deletes() bool {
	c := t.settings.Load().log
	return c.Delete || !c.Compact
}
