package streamstest

import (
	"fmt"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/task"
)

// Steps of a commit after which a process may die.
const (
	stepLogged = "logged" // the transaction has everything
	stepEnded  = "ended"  // it is committed
	stepStored = "stored" // the stores have it
)

// commit is what an App's worker does with all its tasks.
func (d *Driver) commit() error {
	var all []*running
	for _, r := range d.tasks {
		if r.task.NeedsCommit() {
			all = append(all, r)
		}
	}
	d.processed = 0
	if len(all) == 0 {
		return nil
	}
	var offsets []task.Offset
	for _, r := range all {
		if err := r.task.Prepare(); err != nil {
			return err
		}
		if r.err != nil {
			return r.err
		}
		for _, rec := range r.produced {
			r.task.Produced(rec)
		}
		r.produced = nil
		offsets = append(offsets, r.task.Offsets()...)
	}
	if d.failNext {
		d.failNext = false
		return d.restart(nil)
	}
	if d.dies(stepLogged) {
		return d.restart(d.reopen)
	}
	if d.set.config.Guarantee == streams.AtLeastOnce {
		return d.commitAtLeastOnce(all, offsets)
	}
	d.topics.commit()
	d.setCommitted(offsets)
	if d.dies(stepEnded) {
		return d.restart(d.reopen)
	}
	return d.store(all)
}

// commitAtLeastOnce stores first: what is processed again must find its changes.
func (d *Driver) commitAtLeastOnce(all []*running, offsets []task.Offset) error {
	if err := d.store(all); err != nil {
		return err
	}
	d.setCommitted(offsets)
	return nil
}

// store puts the tasks' changes into their stores.
func (d *Driver) store(all []*running) error {
	b := d.db.NewBatch()
	defer b.Close()
	for _, r := range all {
		if err := r.task.Apply(b); err != nil {
			return err
		}
	}
	if err := commitBatch(b); err != nil {
		return err
	}
	for _, r := range all {
		r.task.Committed()
	}
	if d.dies(stepStored) {
		return d.restart(d.reopen)
	}
	return nil
}

func commitBatch(b local.Batch) error {
	if err := b.Commit(); err != nil {
		return fmt.Errorf("storing: %w", err)
	}
	return nil
}

func (d *Driver) setCommitted(offsets []task.Offset) {
	for _, o := range offsets {
		d.committed[input{o.Topic, o.Partition}] = o
	}
}

func (d *Driver) dies(step string) bool { return d.crash != nil && d.crash(step) }

// FailCommit aborts a commit, as a broker does with a transaction that took too long: what
// was written since the last one is never seen, and its records are processed again. Without
// anything to be committed, the next commit is aborted.
func (d *Driver) FailCommit() {
	d.t.Helper()
	d.check(d.TryFailCommit())
}

// TryFailCommit returns the error on which FailCommit fails the test.
func (d *Driver) TryFailCommit() error {
	d.failNext = true
	return d.TryCommit()
}

// Restart commits, loses the local stores, and starts again: tasks go on from the committed
// offsets, with stores restored from their changelogs. After an error it starts without a
// commit, from the last one.
func (d *Driver) Restart() {
	d.t.Helper()
	d.check(d.TryRestart())
}

// TryRestart returns the error on which Restart fails the test.
func (d *Driver) TryRestart() error {
	if d.failed == errClosed {
		return d.failed
	}
	if d.failed == nil {
		if err := d.do(d.leave); err != nil {
			return err
		}
	}
	d.failed = nil
	return d.do(func() error {
		if err := d.restart(loseAll); err != nil {
			return err
		}
		return d.work()
	})
}

// restart begins again with what was committed; stores are as the last batch left them, or
// what reopen makes of them.
func (d *Driver) restart(reopen func(*local.DB) (*local.DB, error)) error {
	d.topics.abort()
	d.closeTasks()
	for _, g := range d.globals {
		if err := g.close(); err != nil {
			return err
		}
	}
	d.globals = nil
	if reopen != nil {
		var err error
		if d.db, err = reopen(d.db); err != nil {
			return err
		}
	}
	return d.open()
}

func loseAll(db *local.DB) (*local.DB, error) {
	err := db.Close()
	return local.OpenMemory(), err
}
