package node

import (
	"errors"

	"github.com/pabal-dev/pabal/kafka/broker/internal/commit"
)

// Close makes everything durable and releases the folder. Appends fail from then on.
func (n *Node) Close() error {
	for _, l := range n.keyLogs {
		l.close()
	}
	n.work.end()
	n.admin.Lock()
	defer n.admin.Unlock()
	if n.closed.Swap(true) {
		return nil
	}
	n.removing.Wait()
	n.waitForTurns()
	err := n.journal.Close()
	all := n.partitions()
	errs := make([]error, len(all))
	_ = parallelBy(waiting, len(all), func(i int) error {
		errs[i] = all[i].log.Close()
		return nil
	})
	err = errors.Join(append(errs, err)...)
	if failed := n.failed.Load(); err == nil && failed != nil {
		err = *failed
	}
	if err == nil { // the logs have all
		err = commit.Remove(n.o.FS, n.journalFolder())
	}
	if err == nil { // the next start is a clean one
		changed := n.meta.clone()
		changed.Clean = true
		err = changed.write(n.o.FS, n.o.Dir)
	}
	n.tellAll()
	return errors.Join(err, n.lock.Close())
}

// Kill releases the folder and writes nothing more, as if the process had died. Appends
// that wait fail.
func (n *Node) Kill() {
	if n.closed.Swap(true) {
		return
	}
	n.journal.Kill()
	n.admin.Lock() // a change under way saves nothing any more
	n.killLogs()
	n.admin.Unlock()
	n.work.end()
	for _, l := range n.keyLogs {
		l.close()
	}
	n.removing.Wait()
	n.tellAll()
	_ = n.lock.Close()
}

func (n *Node) partitions() []*Partition {
	var all []*Partition
	for _, t := range n.catalog.Load().sorted {
		all = append(all, t.Partitions()...)
	}
	return all
}

// waitForTurns has appends that began before closed was set end.
func (n *Node) waitForTurns() {
	for _, p := range n.partitions() {
		p.turn.Lock()
		p.turn.Unlock() //nolint:staticcheck // only to wait
	}
}

// tellAll has those who watch find out.
func (n *Node) tellAll() {
	for _, p := range n.partitions() {
		p.watchers.tell()
	}
}
