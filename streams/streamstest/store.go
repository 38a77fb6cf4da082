package streamstest

// Store is a task's store as S, one of package state's interfaces such as
// state.KeyValueStore[string, int64]; those of tables have values of state.Timestamped. It
// sees what is processed and not committed, and may be written to prepare a test. A global
// store is read only. partition is 0 unless given. It is valid until Restart or FailCommit. A
// store that does not exist or is something else fails the test.
func Store[S any](d *Driver, name string, partition ...int32) S {
	d.t.Helper()
	var p int32
	if len(partition) > 0 {
		p = partition[0]
	}
	found, err := d.find(name, p)
	d.check(err)
	s, ok := found.(S)
	if !ok {
		var want S
		d.t.Fatalf("streamstest: store %s is a %T, not a %T", name, found, &want)
	}
	return s
}

func (d *Driver) find(name string, partition int32) (any, error) {
	for _, r := range d.tasks {
		if s := r.task.Store(name); s != nil && r.task.ID().Partition == partition {
			return s, nil
		}
	}
	return d.globalView(name)
}
