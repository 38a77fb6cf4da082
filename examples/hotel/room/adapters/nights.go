package adapters

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/examples/hotel/message"
	"github.com/pabal-dev/pabal/examples/hotel/room/domain"
	"github.com/pabal-dev/pabal/storage"
)

// nights is a ports.Nights.
type nights struct{ q storage.Querier }

func (n nights) Room(ctx context.Context, id int64) (domain.Room, error) {
	r := domain.Room{ID: id}
	err := n.q.QueryRow(ctx, `SELECT name, capacity FROM rooms WHERE id = $1`, id).Scan(&r.Name, &r.Capacity)
	return r, orNoRoom(err)
}

func (n nights) Nights(ctx context.Context, r domain.Room, p domain.Period) ([]domain.Night, error) {
	own, err := n.read(ctx, `SELECT night, capacity, stock FROM nights
		WHERE room_id = $1 AND night >= $2 AND night < $3 ORDER BY night`, r.ID, dayOf(p.In), dayOf(p.Out))
	if err != nil {
		return nil, err
	}
	var all []domain.Night
	for _, date := range p.Nights() {
		if len(own) > 0 && own[0].Date.Equal(date) {
			all, own = append(all, own[0]), own[1:]
			continue
		}
		all = append(all, domain.Night{Date: date, Capacity: r.Capacity, Stock: r.Capacity})
	}
	return all, nil
}

func (n nights) OwnNights(ctx context.Context, roomID int64) ([]domain.Night, error) {
	return n.read(ctx, `SELECT night, capacity, stock FROM nights WHERE room_id = $1 ORDER BY night`, roomID)
}

func (n nights) read(ctx context.Context, query string, args ...any) ([]domain.Night, error) {
	rows, err := n.q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []domain.Night
	for rows.Next() {
		var one domain.Night
		var date string
		if err := rows.Scan(&date, &one.Capacity, &one.Stock); err != nil {
			return nil, err
		}
		if one.Date, err = parseDay(date); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// nightsPerStatement keeps a statement's placeholders below both databases' bounds.
const nightsPerStatement = 500

func (t tx) SaveNights(ctx context.Context, roomID int64, nights []domain.Night) error {
	for some := range slices.Chunk(nights, nightsPerStatement) {
		args := []any{roomID}
		var values []string
		for _, n := range some {
			values = append(values, fmt.Sprintf("($1, $%d, $%d, $%d)", len(args)+1, len(args)+2, len(args)+3))
			args = append(args, dayOf(n.Date), n.Capacity, n.Stock)
		}
		_, err := t.Exec(ctx, `INSERT INTO nights (room_id, night, capacity, stock) VALUES `+strings.Join(values, ", ")+`
			ON CONFLICT (room_id, night) DO UPDATE SET capacity = excluded.capacity, stock = excluded.stock`, args...)
		if err != nil {
			return err
		}
	}
	return nil
}

// dayOf is a date as tables hold it; "" for none.
func dayOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return message.DateOf(t).String()
}

func parseDay(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	d, err := message.ParseDate(text)
	return d.Time(), err
}
