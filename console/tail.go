package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// tail streams a topic's new messages, no faster than the client takes them.
func (c *Console) tail(w http.ResponseWriter, r *http.Request) error {
	var q api.MessageQuery
	if err := decodeQuery(r, tailRoute, &q); err != nil {
		return err
	}
	resumed, isResumed, err := parseTailID(r.Header.Get("Last-Event-ID"))
	if err != nil {
		return err
	}
	if isResumed {
		q.From = "time:" + resumed.at.UTC().Format(time.RFC3339Nano)
	}
	// A stream that has begun has no status to say that there is no such topic.
	if err := c.checkTopic(r.Context(), q.Topic); err != nil {
		return err
	}
	s, ctx, done, err := c.beginStream(w, r)
	if err != nil {
		return err
	}
	defer done()
	err = c.engines.Topics.Tail(ctx, q, func(m api.Message) error {
		if isResumed && resumed.had(m) {
			return nil
		}
		data, err := encodeJSON(m)
		if err != nil {
			return err
		}
		return s.write(frame("message", tailID(m), data))
	})
	if err != nil && ctx.Err() == nil {
		if data, failed := encodeJSON(api.ProblemOf(err)); failed == nil {
			_ = s.write(frame("problem", "", data)) // the client is gone: nobody to tell
		}
	}
	return nil
}

// tailRoute is for the decoding of parameters; the table has the rest.
var tailRoute = route{pattern: "topics/{topic}/tail"}

func (c *Console) checkTopic(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	_, err := c.engines.Topics.Topic(ctx, name)
	return err
}

// tailPlace is where a tail that broke had come to.
type tailPlace struct {
	at        time.Time
	partition int32
	offset    int64
}

// tailID says time, partition and offset, so that a browser that connects again goes on
// from that time. Other partitions' messages of that time may come twice.
func tailID(m api.Message) string {
	return fmt.Sprintf("%d-%d-%d", m.Timestamp.UnixMilli(), m.Partition, m.Offset)
}

func parseTailID(id string) (tailPlace, bool, error) {
	if id == "" {
		return tailPlace{}, false, nil
	}
	parts := strings.Split(id, "-")
	if len(parts) == 3 {
		ms, err1 := strconv.ParseInt(parts[0], 10, 64)
		partition, err2 := strconv.ParseInt(parts[1], 10, 32)
		offset, err3 := strconv.ParseInt(parts[2], 10, 64)
		if errors.Join(err1, err2, err3) == nil {
			return tailPlace{time.UnixMilli(ms), int32(partition), offset}, true, nil
		}
	}
	return tailPlace{}, false, api.BadField("Last-Event-ID", "is not an id of this stream")
}

func (p tailPlace) had(m api.Message) bool {
	return m.Partition == p.partition && m.Offset <= p.offset
}
