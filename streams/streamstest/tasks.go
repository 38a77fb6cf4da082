package streamstest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/internal/task"
)

// running is a task with where its consumer is.
type running struct {
	sub  *plan.Sub
	task *task.Task
	read map[input]int64
	// ready since turn, with a record of that time.
	ready bool
	turn  int64
	time  int64
	// logged is what was produced since the last commit.
	produced []*kgo.Record
	err      error // of producing
}

func (d *Driver) openTask(sub *plan.Sub, id plan.TaskID) error {
	if err := d.restore(sub, id); err != nil {
		return err
	}
	r := &running{sub: sub, read: map[input]int64{}}
	var start []task.Offset
	for _, n := range sub.Sources() {
		for _, topic := range n.Topics {
			in := input{d.names.Topic(topic), id.Partition}
			if id.Partition >= d.topics.partitions(in.topic) {
				continue
			}
			from, ok := d.committed[in]
			if !ok {
				from = task.Offset{Topic: in.topic, Partition: in.partition, LeaderEpoch: -1}
			}
			start = append(start, from)
			r.read[in] = from.At
		}
	}
	var err error
	r.task, err = task.New(d.taskConfig(sub, id, start, func(rec *kgo.Record) { d.produce(r, rec) }))
	if err == nil {
		d.tasks = append(d.tasks, r)
	}
	return err
}

func (d *Driver) taskConfig(sub *plan.Sub, id plan.TaskID, start []task.Offset, produce func(*kgo.Record)) task.Config {
	c := d.set.config
	config := task.Config{
		Sub: sub, ID: id, DB: d.db, Names: d.names, Start: start, Producer: produce,
		Partitions:  func(topic string) (int32, error) { return d.topics.partitions(topic), nil },
		Globals:     d.globalView,
		Fail:        c.OnFailure,
		DeadLetters: d.names.Topic(plan.Topic{Name: c.DeadLetterTopic}),
		Clock:       func() time.Time { return d.now },
		MaxIdle:     c.MaxTaskIdle, IdleWindowClose: c.IdleWindowClose, CacheBytes: c.CacheBytes,
		Logger: c.Logger,
	}
	return config
}

// produce writes into the transaction, or with at-least-once at once.
func (d *Driver) produce(r *running, rec *kgo.Record) {
	p, err := d.topics.append(rec)
	switch {
	case err != nil:
		r.err = r.task.FailedProducing(rec, err)
		return
	case d.set.config.Guarantee == streams.AtLeastOnce:
		d.topics.see(p)
	default:
		d.topics.open = append(d.topics.open, p)
	}
	r.produced = append(r.produced, rec)
}

// deliver gives tasks and global stores what their topics have.
func (d *Driver) deliver() error {
	for _, g := range d.globals {
		if err := g.deliver(d); err != nil {
			return err
		}
	}
	arrivals, err := d.arrivals()
	if err != nil {
		return err
	}
	for _, a := range arrivals {
		if err := a.to.task.Add(a.record.Topic, a.record.Partition, []*kgo.Record{a.record}); err != nil {
			return err
		}
		if err := d.order.arrived(a.to, input{a.record.Topic, a.record.Partition}); err != nil {
			return err
		}
		d.wake(a.to)
	}
	return nil
}

// arrival is a record that a task is to get.
type arrival struct {
	to     *running
	record *kgo.Record
	seen   int64
}

// arrivals are what tasks have not got, in the order in which it became visible: among records
// of equal times that order decides.
func (d *Driver) arrivals() ([]arrival, error) {
	var all []arrival
	for _, r := range d.tasks {
		for _, n := range r.sub.Sources() {
			for _, topic := range n.Topics {
				in := input{d.names.Topic(topic), r.task.ID().Partition}
				from, ok := r.read[in]
				if !ok {
					continue
				}
				log := d.topics.topic(in.topic).partitions[in.partition]
				records, next := log.from(from)
				r.read[in] = next
				end := from
				for _, rec := range records {
					all = append(all, arrival{r, rec, log.seen[rec.Offset]})
					end = rec.Offset + 1
				}
				if err := r.task.SetEnd(in.topic, in.partition, end); err != nil {
					return nil, err
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b arrival) int { return cmp.Compare(a.seen, b.seen) })
	return all, nil
}

// restore brings a task's stores to what their changelogs have.
func (d *Driver) restore(sub *plan.Sub, id plan.TaskID) error {
	for _, s := range sub.Stores {
		name := d.names.Changelog(s)
		if name == "" || id.Partition >= d.topics.partitions(name) {
			continue
		}
		space, err := d.db.Space(id, s.Name, s.Persistent)
		if err != nil {
			return fmt.Errorf("store %s: %w", s.Name, err)
		}
		from, _ := space.Offset()
		records, next := d.topics.topic(name).partitions[id.Partition].from(from)
		if s.Source != nil { // what lies after is still to be processed
			next = d.committed[input{name, id.Partition}].At
			for len(records) > 0 && records[len(records)-1].Offset >= next {
				records = records[:len(records)-1]
			}
		}
		if next <= from {
			continue
		}
		b := d.db.NewBatch()
		if err := s.Restored(b, space, s.Taken(records, func(*kgo.Record, error) {})); err != nil {
			b.Close()
			return fmt.Errorf("restoring %s: %w", s.Name, err)
		}
		b.SetOffset(space, next)
		if err := b.Commit(); err != nil {
			return fmt.Errorf("restoring %s: %w", s.Name, err)
		}
		b.Close()
	}
	return nil
}
