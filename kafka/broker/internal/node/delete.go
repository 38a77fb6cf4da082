package node

import (
	"fmt"
	"slices"

	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Delete deletes topics with their records, durably, with one write for all. Errors are by
// position. The files go afterwards.
func (n *Node) Delete(names ...string) []error {
	n.admin.Lock()
	defer n.admin.Unlock()
	errs := make([]error, len(names))
	var gone []*Topic
	for i, name := range names {
		t := n.Topic(name)
		switch {
		case t == nil || slices.Contains(gone, t):
			errs[i] = fmt.Errorf("%w: topic %s", kerr.UnknownTopicOrPartition, name)
		case t.Internal:
			errs[i] = fmt.Errorf("%w: %s is the broker's own", kerr.InvalidTopicException, name)
		case n.BrokerSetting("delete.topic.enable") != "true":
			errs[i] = fmt.Errorf("%w: the broker's setting delete.topic.enable is false", kerr.TopicDeletionDisabled)
		default:
			gone = append(gone, t)
		}
	}
	if len(gone) == 0 {
		return errs
	}
	isGone := func(t *Topic) bool { return slices.Contains(gone, t) }
	changed := n.meta.clone()
	changed.Topics = slices.DeleteFunc(changed.Topics, func(m metaTopic) bool { return isGone(n.Topic(m.Name)) })
	if err := n.save(changed); err != nil {
		for i := range errs {
			if errs[i] == nil {
				errs[i] = err
			}
		}
		return errs
	}
	n.catalog.Store(n.catalog.Load().without(isGone))
	for _, t := range gone {
		for _, p := range t.Partitions() {
			p.gone.Store(true)
			p.watchers.tell()
		}
	}
	n.removing.Go(func() {
		_ = parallelBy(waiting, len(gone), func(i int) error { n.remove(gone[i]); return nil })
	})
	return errs
}

// remove ends what goes on with a topic that meta knows no more, then removes its files.
// What is left is removed at the next start.
func (n *Node) remove(t *Topic) {
	for _, p := range t.Partitions() {
		p.turn.Lock()   // an append under way ends before
		p.turn.Unlock() //nolint:staticcheck // only to wait
		n.work.forget(p)
		p.log.Kill()
		if err := log.Remove(n.o.FS, p.folder()); err != nil {
			n.o.Logger.Warn("files of a deleted topic are left until the next start", "topic", t.Name, "partition", p.Index, "error", err)
		}
	}
	if err := removeFrom(n.o.FS, t.folder(), 0, false); err != nil {
		n.o.Logger.Warn("files of a deleted topic are left until the next start", "topic", t.Name, "error", err)
	}
}
