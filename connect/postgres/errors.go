package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pabal-dev/pabal/connect/plugin"
)

// passing errors are those of a database that is away or busy; it will be back.
func passing(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, plugin.ErrRetry) {
		return true
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return passingCode(refused.Code)
	}
	var distrusted *tls.CertificateVerificationError
	if errors.As(err, &distrusted) {
		return false
	}
	var connecting *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connecting) || errors.As(err, &network) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err)
}

// passingCode of PostgreSQL's error codes: connections (08), resources (53), the operator (57), a
// conflict (40), what is in use (55006), a transaction that was idle too long (25P03).
func passingCode(code string) bool {
	switch {
	case code == "57P04", code == "53400": // the database was dropped; a limit is set too low, as of slots
		return false
	case strings.HasPrefix(code, "08"), strings.HasPrefix(code, "53"), strings.HasPrefix(code, "57P"), strings.HasPrefix(code, "40"):
		return true
	}
	return code == objectInUse || code == "55P03" || code == "25P03"
}

// Codes of PostgreSQL's errors.
const (
	objectInUse = "55006"
	noColumn    = "42703"
	noTable     = "42P01"
	noSchema    = "3F000"
)

func slotInUse(err error) bool { return refusedWith(err, objectInUse) }

// refusedWith says whether the server refused something with one of the codes.
func refusedWith(err error, codes ...string) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && slices.Contains(codes, refused.Code)
}
