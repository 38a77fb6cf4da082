package cluster

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// target is where to go: one of the words, an offset or a time.
type target struct {
	kind   targetKind
	offset int64
	at     time.Time
}

type targetKind byte

const (
	toLatest targetKind = iota
	toEarliest
	toOffset
	toTime
)

// parseTarget reads "earliest", "latest", "offset:N" or "time:RFC3339"; name is the
// parameter's, for the error.
func parseTarget(name, text string) (target, error) {
	switch {
	case text == "latest":
		return target{kind: toLatest}, nil
	case text == "earliest":
		return target{kind: toEarliest}, nil
	case strings.HasPrefix(text, "offset:"):
		n, err := strconv.ParseInt(strings.TrimPrefix(text, "offset:"), 10, 64)
		if err != nil || n < 0 {
			return target{}, fmt.Errorf("%w: %s: %q is no offset: write offset:N with N from 0", api.ErrInvalid, name, clip(text))
		}
		return target{kind: toOffset, offset: n}, nil
	case strings.HasPrefix(text, "time:"):
		at, err := time.Parse(time.RFC3339Nano, strings.TrimPrefix(text, "time:"))
		if err != nil {
			return target{}, fmt.Errorf("%w: %s: %q is no time: write time:2006-01-02T15:04:05Z (RFC 3339)", api.ErrInvalid, name, clip(text))
		}
		return target{kind: toTime, at: at}, nil
	}
	return target{}, fmt.Errorf("%w: %s: %q is none of earliest, latest, offset:N, time:RFC3339", api.ErrInvalid, name, clip(text))
}

// millis is the first millisecond not before the time: records have milliseconds.
// What is before 1970 is 0: negative numbers mean something else to ListOffsets.
func (t target) millis() int64 {
	ms := t.at.UnixMilli()
	if time.UnixMilli(ms).Before(t.at) {
		ms++
	}
	return max(ms, 0)
}

// found is where a target is in a partition.
type found struct {
	offset int64
	// none says that there is no message at or after the time: offset is the end.
	none bool
}

// locate finds the target in each partition; offsets are not clamped to the log.
func (c *Cluster) locate(ctx context.Context, t target, topic string, logs map[int32]span) (map[int32]found, error) {
	out := make(map[int32]found, len(logs))
	parts := make([]int32, 0, len(logs))
	for p, log := range logs {
		parts = append(parts, p)
		switch t.kind {
		case toEarliest:
			out[p] = found{offset: log.start}
		case toLatest:
			out[p] = found{offset: log.stable}
		case toOffset:
			out[p] = found{offset: t.offset}
		}
	}
	if t.kind != toTime {
		return out, nil
	}
	answers, err := c.listOffsets(ctx, t.millis(), false, map[string][]int32{topic: parts})
	if err != nil {
		return nil, c.explain("find a time in topic "+topic, err)
	}
	for _, p := range parts {
		a := answers[place{topic, p}]
		switch {
		case a.err != nil:
			return nil, c.explain(fmt.Sprintf("find a time in %s/%d", topic, p), a.err)
		case a.offset < 0:
			out[p] = found{offset: logs[p].stable, none: true}
		default:
			out[p] = found{offset: a.offset}
		}
	}
	return out, nil
}
