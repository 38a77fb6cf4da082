package sql

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
)

// refused is the error of a record that cannot be stored, while others can.
type refused struct{ err error }

func (r *refused) Error() string { return r.err.Error() }

func (r *refused) Unwrap() error { return r.err }

// passing errors are those of a database that is away or busy; it will be back.
func passing(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		return passingCode(answer.Code)
	}
	var connecting *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connecting) || errors.As(err, &network) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err)
}

// passingCode of PostgreSQL's: connections (08), conflicts (40), resources (53), the operator (57),
// the system (58), what is in use (55), a server that is read-only after a failover (25006).
func passingCode(code string) bool {
	switch code {
	case "57P04": // the database was dropped
		return false
	case "25006", "55006", "55P03", "57014":
		return true
	}
	return len(code) == 5 && slices.Contains([]string{"08", "40", "53", "57", "58"}, code[:2])
}

// refusable says whether the server's error is about the row's values: what does not fit its type
// (22, some of 42), breaks a constraint (21, 23, 44), is too long for an index (54), or is refused by
// a trigger (P0).
func refusable(err error) bool {
	var answer *pgconn.PgError
	if !errors.As(err, &answer) || len(answer.Code) != 5 {
		return false
	}
	return slices.Contains([]string{"21", "22", "23", "44", "54", "P0"}, answer.Code[:2]) || slices.Contains([]string{"42804", "42846"}, answer.Code)
}
