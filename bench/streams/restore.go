package streams

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/pabal-dev/pabal/bench/measure"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Restore measures how long an application with a persistent store of 10,000,000 keys takes
// from the start of its process until it has counted new records, its state having been lost; the changelog
// topics of both sides have the same contents. Then ours is killed with kill -9 and started
// again on the disk it has, as a static member, until it has counted new records.
//
//   - restore_s, kafka_streams_restore_s, restored_per_s;
//   - ratio_kafka_streams: their seconds over ours;
//   - ratio_rss: the most resident memory over that of Kafka Streams;
//   - restart_after_kill_s.
//
// Figures are medians of the rounds.
func Restore(ctx context.Context, args []string, w io.Writer) (map[string]float64, error) {
	o, err := parse("streams-restore", args, options{records: 1000, keys: 10_000_000, commitMs: 100, cacheBytes: 10 << 20}, nil)
	if err != nil {
		return nil, err
	}
	s, err := openStage(ctx, w)
	if err != nil {
		return nil, err
	}
	defer s.close()
	tasks := map[string]task{}
	for _, side := range []string{ours, kafkaStreams} {
		if tasks[side], err = s.changelog(ctx, o); err != nil {
			return nil, err
		}
	}
	figures := map[string][]float64{}
	for round := range o.rounds {
		for i := range 2 {
			side := []string{ours, kafkaStreams}[(i+round)%2]
			if err := s.restore(ctx, side, tasks[side], o, figures); err != nil {
				return nil, fmt.Errorf("%s: %w", side, err)
			}
			last := func(figure string) float64 { return figures[side+figure][round] }
			fmt.Fprintf(w, "round %d: %-14s restored in %.1f s, %.0f MB\n", round+1, side, last(" s"), last(" rss")/1e6)
		}
		fmt.Fprintf(w, "round %d: runs %.2f s after kill -9\n", round+1, figures["restart"][round])
	}
	return rounded(map[string]float64{
		"restore_s":               measure.Median(figures[ours+" s"]),
		"kafka_streams_restore_s": measure.Median(figures[kafkaStreams+" s"]),
		"restored_per_s":          float64(o.keys) / measure.Median(figures[ours+" s"]),
		"ratio_kafka_streams":     measure.RatioOf(figures[kafkaStreams+" s"], figures[ours+" s"]),
		"ratio_rss":               measure.RatioOf(figures[ours+" rss"], figures[kafkaStreams+" rss"]),
		"restart_after_kill_s":    measure.Median(figures["restart"]),
	}), nil
}

// changelog makes an application's topics and fills its changelog: each key has a count of 1.
func (s *stage) changelog(ctx context.Context, o options) (task, error) {
	t := task{Kind: "count", Brokers: s.addr, ID: name("bench"), CommitMs: o.commitMs, CacheBytes: o.cacheBytes, Instance: "one"}
	t.In, t.Out, t.Dir = t.ID+"-in", t.ID+"-out", s.folder(t.ID)
	for _, topic := range []string{t.In, t.Out} {
		if err := s.makeTopic(ctx, topic, o.partitions); err != nil {
			return task{}, err
		}
	}
	topic := t.ID + "-counts-changelog"
	if err := s.makeTopic(ctx, topic, o.partitions, "cleanup.policy", "compact"); err != nil {
		return task{}, err
	}
	value, now := binary.BigEndian.AppendUint64(nil, 1), time.Now().UnixMilli()
	return t, s.load(ctx, topic, o.keys, func(i int) ([]byte, []byte, int64) { return keyText(i), value, now })
}

// restore starts a side without its state, and ours again after a kill.
func (s *stage) restore(ctx context.Context, side string, t task, o options, figures map[string][]float64) error {
	if err := os.RemoveAll(t.Dir); err != nil {
		return err
	}
	took, p, err := s.counted(ctx, side, t, o)
	if err != nil {
		return err
	}
	defer p.kill()
	last, err := p.ask(ctx)
	if err != nil {
		return err
	}
	figures[side+" s"], figures[side+" rss"] = append(figures[side+" s"], took), append(figures[side+" rss"], float64(last.Peak))
	if side != ours {
		return p.stop()
	}
	if err := p.kill(); err != nil {
		return err
	}
	took, again, err := s.counted(ctx, side, t, o)
	if err != nil {
		return err
	}
	defer again.kill()
	figures["restart"] = append(figures["restart"], took)
	return again.stop()
}

// counted starts a side and returns the seconds until it has counted a few records of each
// partition, for which it needs its stores.
func (s *stage) counted(ctx context.Context, side string, t task, o options) (float64, *process, error) {
	few := int(o.partitions) * 4
	now := time.Now().UnixMilli()
	err := s.load(ctx, t.In, few, func(i int) ([]byte, []byte, int64) { return keyText(i), []byte{1}, now })
	if err != nil {
		return 0, nil, err
	}
	p, err := s.start(ctx, side, t)
	if err != nil {
		return 0, nil, err
	}
	if _, err = p.wait(ctx, "it counted", func(s sample) bool { return s.Records >= int64(few) }); err == nil {
		err = s.committed(ctx, t.ID, t.In)
	}
	took := time.Since(p.started).Seconds()
	if err == nil {
		err = s.goOn(ctx, t, few)
	}
	if err != nil {
		return 0, nil, errors.Join(err, p.kill())
	}
	return took, p, nil
}

// goOn checks that each key counted has one more than the records that it ever had: the
// changelog began with 1.
func (s *stage) goOn(ctx context.Context, t task, few int) error {
	counts, want := map[string]uint64{}, map[string]uint64{}
	err := s.read(ctx, t.In, func(r *kgo.Record) error { want[string(r.Key)]++; return nil })
	if err != nil {
		return err
	}
	err = s.read(ctx, t.Out, func(r *kgo.Record) error { counts[string(r.Key)] = binary.BigEndian.Uint64(r.Value); return nil })
	if err != nil {
		return err
	}
	for i := range few {
		if key := string(keyText(i)); counts[key] != want[key]+1 {
			return fmt.Errorf("%s was counted as %d, not %d", key, counts[key], want[key]+1)
		}
	}
	return nil
}
