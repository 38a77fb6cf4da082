package streams

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strconv"

	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

const (
	defaultLimit = 100
	mostLimit    = 1000
	// mostPage is after how many bytes a page ends.
	mostPage = 4 << 20
)

// page answers with entries of these partitions, and a cursor where there is more.
func (h *handler) page(w http.ResponseWriter, r *http.Request, q *query, sel plan.Query, partitions []int32) error {
	limit, err := limitOf(r)
	if err != nil {
		return err
	}
	at, err := parseCursor(r.URL.Query().Get("cursor"))
	if err != nil {
		return err
	}
	out := pageOf{Entries: []json.RawMessage{}, left: limit}
	i, _ := slices.BinarySearch(partitions, at.partition)
	for ; i < len(partitions) && !out.full(); i++ {
		if partitions[i] != at.partition {
			at = cursor{partition: partitions[i]}
		}
		if at.after, err = out.read(r.Context(), q, sel, at); err != nil {
			return err
		}
		if out.more {
			out.Next = at.String()
		}
	}
	if out.Next == "" && i < len(partitions) {
		out.Next = cursor{partition: partitions[i]}.String()
	}
	return writeJSON(w, out)
}

type pageOf struct {
	Entries []json.RawMessage `json:"entries"`
	Next    string            `json:"next,omitempty"`

	left, size int
	more       bool // in the partition read last
}

func (p *pageOf) full() bool { return p.left <= 0 || p.size >= mostPage }

// read adds entries of a partition that come after the cursor, and returns the key of the last.
func (p *pageOf) read(ctx context.Context, q *query, sel plan.Query, at cursor) (last []byte, err error) {
	r, closer, err := q.open(ctx, at.partition)
	if err != nil {
		return nil, err
	}
	defer closer()
	c := &cursorReader{Reader: r, after: at.after}
	last, p.more = at.after, false
	for e, err := range q.store.Read(c, sel) {
		if c.failed != nil {
			return nil, c.failed
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if at.after != nil && (bytes.Compare(c.last, at.after) <= 0) != sel.Reverse {
			continue
		}
		if p.full() {
			p.more = true
			return last, nil
		}
		data, err := json.Marshal(entryOf(e, err))
		if err != nil {
			return nil, err
		}
		p.Entries = append(p.Entries, data)
		p.left, p.size = p.left-1, p.size+len(data)
		last = slices.Clone(c.last)
	}
	return last, c.failed
}

// cursorReader notes which key of the space was read last, and begins scans that go over the
// cursor there.
type cursorReader struct {
	local.Reader
	after, last []byte
	failed      error
}

func (c *cursorReader) Scan(from, to []byte, reverse bool) iter.Seq2[local.Pair, error] {
	within := c.after != nil && bytes.Compare(c.after, from) >= 0 && (to == nil || bytes.Compare(c.after, to) < 0)
	if within && reverse {
		to = c.after
	} else if within {
		from = append(c.after[:len(c.after):len(c.after)], 0)
	}
	return func(yield func(local.Pair, error) bool) {
		for p, err := range c.Reader.Scan(from, to, reverse) {
			if err != nil {
				c.failed = err
			}
			c.last = p.Key
			if !yield(p, err) {
				return
			}
		}
	}
}

func limitOf(r *http.Request) (int, error) {
	s := r.URL.Query().Get("limit")
	if s == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > mostLimit {
		return 0, fmt.Errorf("%w: limit is %q, expected 1 to %d", errInvalid, s, mostLimit)
	}
	return n, nil
}

// cursor is where a page goes on: after a key of the space of a partition.
type cursor struct {
	partition int32
	after     []byte // nil: from its beginning
}

func (c cursor) String() string {
	b := binary.AppendUvarint(nil, uint64(c.partition))
	if c.after != nil {
		b = append(append(b, 1), c.after...)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseCursor(s string) (cursor, error) {
	if s == "" {
		return cursor{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	p, n := binary.Uvarint(b)
	if err != nil || n <= 0 || p > 1<<31-1 || len(b) > n && b[n] != 1 {
		return cursor{}, fmt.Errorf("%w: the cursor is not one of a page's next", errInvalid)
	}
	c := cursor{partition: int32(p)}
	if len(b) > n {
		c.after = b[n+1:]
	}
	return c, nil
}
