package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// connectError says in one line what keeps us from connecting.
func connectError(settings *pgconn.Config, err error) error {
	return &lostError{"open", &openError{describe(settings, err), err}}
}

// openError has a text of its own, because pgx's has several lines.
type openError struct {
	text string
	err  error
}

func (e *openError) Error() string { return e.text }
func (e *openError) Unwrap() error { return e.err }

func describe(settings *pgconn.Config, err error) string {
	where := address(settings)
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		switch answer.Code {
		case "28P01":
			return fmt.Sprintf("wrong password for user %q at %s", settings.User, where)
		case "28000":
			return fmt.Sprintf("user %q is not let in at %s: %s", settings.User, where, answer.Message)
		case "3D000":
			return fmt.Sprintf("database %q does not exist at %s, create it or name another one", settings.Database, where)
		}
		return fmt.Sprintf("%s refused the connection: %s (SQLSTATE %s)", where, answer.Message, answer.Code)
	}
	return fmt.Sprintf("cannot reach PostgreSQL at %s: %s", where, cause(err))
}

// cause is the innermost error that still says something.
func cause(err error) string {
	var lookup *net.DNSError
	var call *os.SyscallError
	var op *net.OpError
	switch {
	case errors.As(err, &lookup):
		return lookup.Error()
	case errors.As(err, &call):
		return call.Err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &op):
		return op.Err.Error()
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		err = connect.Unwrap()
	}
	return oneLine(err)
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// address names every host that was asked for, once.
func address(settings *pgconn.Config) string {
	all := []string{hostPort(settings.Host, settings.Port)}
	for _, f := range settings.Fallbacks {
		if next := hostPort(f.Host, f.Port); next != all[len(all)-1] {
			all = append(all, next)
		}
	}
	return strings.Join(all, ", ")
}

func hostPort(host string, port uint16) string {
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}
