package run

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/internal/task"
)

// globals keep the global stores: each process fills its own from all partitions of their
// topics, before anything else runs, and follows them from then on.
type globals struct {
	r      *Runtime
	all    map[string]*global // by topic
	client *kgo.Client
	batch  local.Batch
	done   chan struct{}
}

// global is one store. How far each partition is contained stands in a space beside it,
// so that a restart reads on.
type global struct {
	plan    *plan.Global
	id      plan.TaskID
	topic   string
	space   local.Space
	offsets local.Space
	next    []atomic.Int64 // of each partition; one goroutine sets them
	task    *task.Task     // processors fill it; nil: the topic's records are its contents
	failed  error
}

// newGlobals fills the stores to the ends of their topics as of now.
func newGlobals(ctx context.Context, r *Runtime) (*globals, error) {
	gs := &globals{r: r, all: map[string]*global{}, batch: r.db.NewBatch(), done: make(chan struct{})}
	if len(r.cfg.Topology.Globals) == 0 {
		close(gs.done)
		return gs, nil
	}
	for i, p := range r.cfg.Topology.Globals {
		g, err := gs.open(i, p)
		if err != nil {
			close(gs.done)
			return gs, fmt.Errorf("global store %s: %w", p.Store.Name, err)
		}
		gs.all[g.topic] = g
	}
	if err := gs.load(ctx); err != nil {
		close(gs.done)
		return gs, fmt.Errorf("fill the global stores: %w", err)
	}
	go gs.follow()
	return gs, nil
}

func (gs *globals) open(i int, p *plan.Global) (*global, error) {
	r := gs.r
	g := &global{plan: p, id: plan.TaskID{Sub: int32(-1 - i), Partition: -1}, topic: r.layout().names.Topic(p.Topic)}
	g.next = make([]atomic.Int64, r.layout().partitions[g.topic])
	var err error
	if g.space, err = r.db.Renew(g.id, p.Store.Name, p.Store.Persistent); err != nil {
		return nil, err
	}
	if g.offsets, err = r.db.Renew(g.id, p.Store.Name+"-offsets", p.Store.Persistent); err != nil {
		return nil, err
	}
	for n := range g.next {
		b, ok, err := g.offsets.Get(offsetKey(int32(n)), nil)
		if err != nil {
			return nil, err
		}
		if ok && len(b) == 8 {
			g.next[n].Store(int64(binary.BigEndian.Uint64(b)))
		}
	}
	if len(p.Nodes) > 1 {
		g.task, err = gs.newTask(g)
	}
	return g, err
}

func offsetKey(partition int32) []byte { return binary.BigEndian.AppendUint32(nil, uint32(partition)) }

func (gs *globals) newTask(g *global) (*task.Task, error) {
	o := &owned{id: g.id, sub: &plan.Sub{ID: g.id.Sub, Nodes: g.plan.Nodes, Stores: []*plan.Store{g.plan.Store}}}
	return task.New(gs.r.taskConfig(gs.r.life, o, nil, func(rec *kgo.Record) {
		g.failed = fmt.Errorf("%w: a processor of global store %s produces to %s, which it cannot", errUncaught, g.plan.Store.Name, rec.Topic)
	}))
}

// load begins where each partition is contained, and returns when the present ends are.
func (gs *globals) load(ctx context.Context) error {
	var parts []topicPartition
	for _, g := range gs.all {
		for n := range g.next {
			parts = append(parts, topicPartition{g.topic, int32(n)})
		}
	}
	ends, err := fetchEnds(ctx, gs.r.admin, parts)
	if err != nil {
		return err
	}
	starts, err := fetchStarts(ctx, gs.r.admin, parts)
	if err != nil {
		return err
	}
	ids, err := topicIDs(ctx, gs.r.admin, slices.Collect(maps.Keys(gs.all)))
	if err != nil {
		return err
	}
	from := map[string]map[int32]kgo.Offset{}
	for _, g := range gs.all {
		if err := g.fit(starts, ends, ids[g.topic]); err != nil {
			return err
		}
		from[g.topic] = map[int32]kgo.Offset{}
		for n := range g.next {
			from[g.topic][int32(n)] = kgo.NewOffset().At(g.next[n].Load())
		}
	}
	gs.client, err = kafka.NewClient(gs.r.cfg.Kafka, kgo.ConsumePartitions(from), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), kgo.FetchMaxBytes(4<<20), kgo.FetchMaxPartitionBytes(1<<20), kgo.FetchMaxWait(fetchWait),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableClientMetrics())
	if err != nil {
		return err
	}
	for !gs.contain(ends) {
		if err := gs.step(ctx); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// fit clears a store that does not fit its topic: records were deleted that it has not seen,
// or the topic was made anew. What it lacks begins where the topic does.
func (g *global) fit(starts, ends map[topicPartition]int64, id local.TopicID) error {
	unknown, was := local.TopicID{}, g.offsets.Mark().Topic
	misfit := was != unknown && id != unknown && was != id
	for n := range g.next {
		at, tp := g.next[n].Load(), topicPartition{g.topic, int32(n)}
		misfit = misfit || at > 0 && (at < starts[tp] || at > ends[tp])
	}
	if misfit {
		clear(g.next)
		if err := errors.Join(g.offsets.Clear(), g.space.Clear()); err != nil {
			return err
		}
	}
	g.offsets.Follow(id)
	for n := range g.next { // also where nothing is left to read
		g.next[n].Store(max(g.next[n].Load(), starts[topicPartition{g.topic, int32(n)}]))
	}
	return nil
}

func (gs *globals) contain(ends map[topicPartition]int64) bool {
	for _, g := range gs.all {
		for n := range g.next {
			if g.next[n].Load() < ends[topicPartition{g.topic, int32(n)}] {
				return false
			}
		}
	}
	return true
}

// step takes one poll's records in.
func (gs *globals) step(ctx context.Context) error {
	fetches := gs.client.PollRecords(ctx, 10_000)
	var failed error
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if p.Err != nil && ctx.Err() == nil {
			gs.r.problems.Announce("reading global stores", fmt.Errorf("%s/%d: %w", p.Topic, p.Partition, p.Err), problemLasts)
		}
		if g := gs.all[p.Topic]; g != nil && len(p.Records) > 0 && failed == nil {
			failed = gs.take(g, p.Partition, p.Records)
		}
	})
	return failed
}

// take makes records of a partition part of the store.
func (gs *globals) take(g *global, partition int32, records []*kgo.Record) error {
	next := records[len(records)-1].Offset + 1
	if at := g.next[partition].Load(); records[0].Offset < at {
		return fmt.Errorf("%w: global store %s: %s/%d was read up to offset %d and goes on at %d: start again; a store that does not fit its topic any more is filled anew then",
			ErrLayout, g.plan.Store.Name, g.topic, partition, at, records[0].Offset)
	}
	data := slices.DeleteFunc(records, func(r *kgo.Record) bool { return r.Attrs.IsControl() })
	if err := gs.put(g, partition, data); err != nil {
		return fmt.Errorf("global store %s: %s/%d before offset %d: %w", g.plan.Store.Name, g.topic, partition, next, err)
	}
	gs.batch.Set(g.offsets, offsetKey(partition), binary.BigEndian.AppendUint64(nil, uint64(next)))
	gs.batch.SetOffset(g.offsets, 0) // with it goes the topic's id
	if err := gs.batch.Commit(); err != nil {
		return fmt.Errorf("write global store %s: %w", g.plan.Store.Name, err)
	}
	g.next[partition].Store(next)
	if g.task != nil {
		g.task.Committed()
	}
	return nil
}

func (gs *globals) put(g *global, partition int32, records []*kgo.Record) error {
	if len(records) == 0 {
		return nil
	}
	if g.task == nil {
		return g.plan.Store.Restored(gs.batch, g.space, records)
	}
	if err := g.task.Add(g.topic, partition, records); err != nil {
		return err
	}
	for {
		n, err := g.task.Process(round)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
	}
	if err := g.task.Prepare(); err != nil {
		return err
	}
	if g.failed != nil {
		return g.failed
	}
	return g.task.Apply(gs.batch)
}

// follow keeps the stores up to date. An error ends the process's part: tasks would
// go on with a store that stands still.
func (gs *globals) follow() {
	defer close(gs.done)
	for gs.r.life.Err() == nil {
		if err := gs.step(gs.r.life); err != nil && gs.r.life.Err() == nil {
			gs.r.fatal(err)
			return
		}
	}
}

// view is what tasks see of a store.
func (gs *globals) view(store string) (any, error) {
	for _, g := range gs.all {
		if g.plan.Store.Name == store {
			return g.plan.Store.View(g.space)
		}
	}
	return nil, fmt.Errorf("there is no store %s", store)
}

// close releases everything; life has ended.
func (gs *globals) close() {
	<-gs.done
	for _, g := range gs.all {
		if g.task != nil {
			g.task.Close()
		}
	}
	if gs.client != nil {
		gs.client.Close()
	}
	gs.batch.Close()
}
