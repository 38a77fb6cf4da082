package postgres

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// holders knows the oldest open transaction of the server.
type holders struct {
	mu    sync.Mutex
	xid   uint64
	since time.Time // first seen, by our clock
	asked time.Time
	text  string
}

// heldTooLong is how long a transaction may be open without being told of.
const (
	heldTooLong  = time.Second
	askAgain     = 5 * time.Second
	unknownOwner = "an open transaction, whose owner cannot be seen"
)

// of describes the oldest transaction where it has been open for too long. Nobody
// waits for who asks the server at the moment.
func (h *holders) of(ctx context.Context, v *view, oldest uint64) string {
	h.mu.Lock()
	now := time.Now()
	if h.xid != oldest {
		h.xid, h.since, h.asked, h.text = oldest, now, time.Time{}, ""
	}
	text := h.text
	ask := oldest != 0 && now.Sub(h.since) > heldTooLong && now.Sub(h.asked) > askAgain
	if ask {
		h.asked = now
	}
	h.mu.Unlock()
	if !ask {
		return text
	}
	return h.ask(ctx, v, oldest)
}

func (h *holders) ask(ctx context.Context, v *view, oldest uint64) string {
	text := unknownOwner
	err := v.conn.QueryRow(ctx, v.db.names.sql(slicesHolder), oldest).Scan(&text)
	text = fmt.Sprintf("%s (transaction %d)", text, oldest)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.xid != oldest {
		return ""
	}
	if h.text == "" {
		v.db.log.Info("postgres: a transaction has been open for long; the journal is read past it, its own events come when it ends",
			"transaction", text, "unseen", err)
	}
	h.text = text
	return text
}
