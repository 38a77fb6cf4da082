package postgres

import (
	"context"
	"fmt"

	"github.com/pabal-dev/pabal/connect/postgres/internal/pgoutput"
)

// history is what places in the log are compared within: the server's cluster, and its timeline,
// which a new one branches off from when a standby or a backup becomes the server.
type history struct {
	system   string
	timeline uint32 // 0 is not known
}

func (h *history) put(o map[string]any) {
	if h == nil {
		return
	}
	if o[systemKey] = h.system; h.timeline != 0 {
		o[timelineKey] = int64(h.timeline)
	}
}

// historyOf a stored offset; nil where it has none, as those of Debezium.
func historyOf(o map[string]any) *history {
	system, _ := o[systemKey].(string)
	if system == "" {
		return nil
	}
	timeline, _ := wholeNumber(o[timelineKey]) // 0 where it has none
	return &history{system: system, timeline: uint32(timeline)}
}

// currentHistory of the server. A standby's timeline is not known: it changes while we stream.
func (r *run) currentHistory(ctx context.Context) (*history, error) {
	system, timeline, err := r.conn.Identify(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask the server which one it is: %w", err)
	}
	var standby bool
	if err := r.db.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&standby); err != nil {
		return nil, err
	}
	if standby {
		timeline = 0
	}
	return &history{system: system, timeline: timeline}, nil
}

// foreign says why the stored position is not one of the server's log; "" where it is. A position
// that is behind the branch of the server's timeline, with nothing told of what is behind it, goes
// on at the branch.
func (r *run) foreign(ctx context.Context) (why string, err error) {
	stored, now := r.from.history, r.history
	switch {
	case stored == nil:
		return "", nil
	case stored.system != now.system:
		return fmt.Sprintf("the server is another one: its system identifier is %s, that of the stored position %s: it was upgraded, restored or replaced", now.system, stored.system), nil
	case stored.timeline == 0 || now.timeline == 0 || stored.timeline == now.timeline:
		return "", nil
	}
	branch, ok := pgoutput.LSN(0), false
	if stored.timeline < now.timeline {
		if branch, ok, err = r.conn.Branch(ctx, now.timeline, stored.timeline); err != nil {
			return "", fmt.Errorf("read the history of the timeline %d: %w", now.timeline, err)
		}
	}
	if !ok || r.from.told() > branch {
		return fmt.Sprintf("the server's log is on timeline %d, and the stored position on %d, which is another history from there on: an older copy took the server's place", now.timeline, stored.timeline), nil
	}
	if r.from.start() > branch {
		r.log.Info("postgres: the stream goes on where the server's timeline begins", "timeline", now.timeline, "at", branch.String())
		r.from = r.from.movedTo(branch)
	}
	return "", nil
}

// told is the end of what was told, as far as it was changes.
func (p *position) told() pgoutput.LSN {
	switch {
	case p.snapshot != nil || p.kind == "": // all that was committed when the rows were read
		return max(p.ended(), p.lsn)
	case p.within():
		return max(p.ended(), p.lsn, p.final)
	}
	return p.ended()
}

// movedTo another place to start from.
func (p *position) movedTo(at pgoutput.LSN) *position {
	moved := *p
	if moved.flush = at; !moved.within() {
		moved.lsn, moved.proc = at, at
	}
	return &moved
}
