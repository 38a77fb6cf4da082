package connect

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/connect/plugin"
)

// sourceRun polls a source in one goroutine, converts in a second and commits in a third.
type sourceRun struct {
	*run
	task   plugin.SourceTask
	out    *committer
	polled chan []plugin.SourceRecord
	ready  chan batch
	meter  *meter
	// encoder is for gather only.
	encoder *encoder
	spares  spares

	mu        sync.Mutex
	committed plugin.Position // the source is to be told
}

// batch is what one transaction has.
type batch struct {
	records []*kgo.Record
	memory  *memory // of them
	at      plugin.Position
	bytes   int
	began   time.Time
	ended   bool // the source says that what belongs together ends here
}

func (r *run) runSource(ctx context.Context) (err error) {
	s := &sourceRun{run: r, polled: make(chan []plugin.SourceRecord), ready: make(chan batch), encoder: newEncoder(r), spares: newSpares()}
	// First the fence: what the predecessor has committed is then all it ever will.
	if s.out, err = r.newCommitter(ctx); err != nil {
		return err
	}
	defer s.out.close()
	common, err := r.task()
	if err != nil {
		return err
	}
	s.task, err = r.kind.source.Open(ctx, plugin.SourceContext{
		Common: common, Positions: true,
		Offset: func(ctx context.Context, partition map[string]any) (map[string]any, error) {
			return r.w.offsets.get(ctx, r.id.connector, partition)
		},
	})
	if err != nil {
		return err
	}
	defer func() {
		farewell, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
		defer cancel()
		if closing := s.task.Close(farewell); closing != nil {
			r.logger.Warn("connect: closing the source", "error", closing)
		}
	}()
	s.meter = newMeter(s.task)
	defer r.w.measure(r.id, s.meter)()
	r.running()
	return s.stages(ctx)
}

func (s *sourceRun) commit(b batch) error {
	// A commit under way is finished, within its own bounds, unless the worker is to stop at once.
	if err := s.out.commit(s.w.hard, b); err != nil {
		return err
	}
	b.memory.empty(b.records)
	s.spares.give(b.memory)
	s.mu.Lock()
	s.committed = b.at
	s.mu.Unlock()
	return nil
}

// poll until ctx ends.
func (s *sourceRun) poll(ctx context.Context) error {
	pause := firstPause
	for ctx.Err() == nil {
		s.tell(ctx)
		records, err := s.task.Poll(ctx)
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, plugin.ErrRetry):
			s.logger.Warn("connect: the source waits", "error", hide(err, s.spec.props))
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
			pause = min(2*pause, longestPause)
		case err != nil:
			return err
		default:
			pause = firstPause
		}
		s.polled <- records // none as well: it may be time to commit those before
	}
	return ctx.Err()
}

// tell the source what is committed.
func (s *sourceRun) tell(ctx context.Context) {
	s.mu.Lock()
	at := s.committed
	s.committed = nil
	s.mu.Unlock()
	if at == nil {
		return
	}
	if err := s.task.Committed(ctx, at); err != nil && ctx.Err() == nil {
		s.logger.Warn("connect: the source could not be told what is committed; it is told again with what comes next", "error", err)
	}
}

// add records as they go to Kafka.
func (s *sourceRun) add(b *batch, records []plugin.SourceRecord) error {
	if len(records) == 0 {
		s.spares.drop()
		return nil
	}
	if b.memory == nil {
		b.memory = s.spares.take()
		b.records = b.memory.list[:0]
	}
	if len(b.records) == 0 {
		b.began = time.Now()
	}
	s.meter.saw(records)
	for i := range records {
		from := &records[i]
		if from.Topic != "" {
			out, err := s.encoder.encode(b.memory, &from.Record)
			if err != nil {
				if !s.tolerant || errors.Is(err, plugin.ErrRetry) {
					return err
				}
				s.leftOut(err, from.Topic, plugin.NoPartition, -1)
			}
			if out != nil {
				b.records = append(b.records, out)
				b.bytes += len(out.Key) + len(out.Value)
			}
		}
		b.at, b.ended = from.At, from.End
	}
	return nil
}

// leftOut counts, and logs where that is wanted, a record that could not be sent or stored.
func (r *run) leftOut(err error, topic string, partition int32, offset int64) {
	r.counter("left_out_records").Inc()
	if !r.common.Bool("errors.log.enable") {
		return
	}
	logger := r.logger
	if r.common.Bool("errors.log.include.messages") {
		logger = logger.With("topic", topic, "partition", partition, "offset", offset)
	}
	logger.Error("connect: a record is left out (errors.tolerance=all)", "error", err)
}
