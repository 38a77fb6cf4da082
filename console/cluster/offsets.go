package cluster

import (
	"context"
	"errors"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// place is a partition of a topic.
type place struct {
	topic     string
	partition int32
}

// listed is what a broker says of an offset asked for; -1 where there is none.
type listed struct {
	offset int64
	err    error
}

// What to ask ListOffsets for, besides a time in milliseconds.
const (
	atStart int64 = -2
	atEnd   int64 = -1
)

// span is a partition's log: [start, end), readable by read_committed up to
// stable. Where err is not nil, the rest means nothing.
type span struct {
	start, end, stable int64
	err                error
}

// spans asks for the logs of partitions; stable is end where committed is false.
// Its error means that nobody answered.
func (c *Cluster) spans(ctx context.Context, parts map[string][]int32, committed bool) (map[place]span, error) {
	questions := []struct {
		at        int64
		committed bool
	}{{atStart, false}, {atEnd, false}}
	if committed {
		questions = append(questions, struct {
			at        int64
			committed bool
		}{atEnd, true})
	}
	answers, errs := make([]map[place]listed, len(questions)), make([]error, len(questions))
	var all sync.WaitGroup
	for i, q := range questions {
		all.Go(func() { answers[i], errs[i] = c.listOffsets(ctx, q.at, q.committed, parts) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, c.explain("list offsets", errs[firstError(errs)])
	}
	out := make(map[place]span, len(answers[0]))
	for at, start := range answers[0] {
		end, stable := answers[1][at], answers[len(answers)-1][at]
		s := span{start: start.offset, end: end.offset, stable: stable.offset}
		for _, a := range []listed{start, end, stable} {
			if s.err == nil {
				s.err = a.err
			}
		}
		out[at] = s
	}
	return out, nil
}

func firstError(errs []error) int {
	for i, err := range errs {
		if err != nil {
			return i
		}
	}
	return 0
}

// listOffsets asks each leader for the first offset at or after a time in
// milliseconds, or atStart, atEnd. Every partition asked for is in the answer; the
// error means that nobody answered.
func (c *Cluster) listOffsets(ctx context.Context, at int64, committed bool, parts map[string][]int32) (map[place]listed, error) {
	out := make(map[place]listed)
	req := kmsg.NewPtrListOffsetsRequest()
	if committed {
		req.IsolationLevel = 1
	}
	for name, numbers := range parts {
		rt := kmsg.NewListOffsetsRequestTopic()
		rt.Topic = name
		for _, n := range numbers {
			rp := kmsg.NewListOffsetsRequestTopicPartition()
			rp.Partition, rp.Timestamp = n, at
			rt.Partitions = append(rt.Partitions, rp)
			out[place{name, n}] = listed{offset: -1, err: kerr.LeaderNotAvailable}
		}
		req.Topics = append(req.Topics, rt)
	}
	if len(out) == 0 {
		return out, nil
	}
	answered, failed := false, error(nil)
	for _, shard := range c.client.RequestSharded(ctx, req) {
		if shard.Err != nil {
			failed = shard.Err
			failShard(out, shard.Req, shard.Err)
			continue
		}
		answered = true
		for _, t := range shard.Resp.(*kmsg.ListOffsetsResponse).Topics {
			for _, p := range t.Partitions {
				out[place{t.Topic, p.Partition}] = listed{p.Offset, kerr.ErrorForCode(p.ErrorCode)}
			}
		}
	}
	var refused *kerr.Error
	if !answered && failed != nil && !errors.As(failed, &refused) {
		return nil, failed
	}
	return out, nil
}

func failShard(out map[place]listed, req kmsg.Request, err error) {
	r, ok := req.(*kmsg.ListOffsetsRequest)
	if !ok {
		return
	}
	for _, t := range r.Topics {
		for _, p := range t.Partitions {
			out[place{t.Topic, p.Partition}] = listed{-1, err}
		}
	}
}
