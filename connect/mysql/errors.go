package mysql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	driver "github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"github.com/pabal-dev/pabal/connect/plugin"
)

// ErrLost is wrapped by errors about positions that the server's binary log does not have.
var ErrLost = errors.New("changes are missing")

// ErrSetup is wrapped by errors about a server that is not set up for change data capture.
var ErrSetup = errors.New("the database is not ready for change data capture")

// cause is an error without what the driver wrapped around it, which hides it from errors.As.
func cause(err error) error {
	for {
		c, ok := err.(interface{ Cause() error })
		if !ok || c.Cause() == nil {
			return err
		}
		err = c.Cause()
	}
}

// missing are words of the servers about positions that their logs do not have.
var missing = []string{"first log file name", "purged", "impossible position", "file size", "not in the master", "not in the source", "too old"}

// lost says of an error that the server's log does not have a position.
func lost(err error, at *position) error {
	if refusal(err) != driver.ER_MASTER_FATAL_ERROR_READING_BINLOG {
		return err
	}
	text := strings.ToLower(err.Error())
	if strings.Contains(text, "same server") {
		return fmt.Errorf("%w: another replica has the same database.server.id: give this connector one of its own: %w", ErrSetup, err)
	}
	for _, words := range missing {
		if strings.Contains(text, words) {
			return fmt.Errorf("%w: the server's binary log does not have the stored position any more, or never had it (%s, gtids %q): delete the connector's offsets to begin anew, or set snapshot.mode to when_needed: %w",
				ErrLost, at.place, at.gtidText(), err)
		}
	}
	return err
}

// passing errors are those of a server that is away or busy; it will be back.
func passing(err error) bool {
	if errors.Is(err, ErrLost) || errors.Is(err, ErrSetup) {
		return false
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, plugin.ErrRetry) {
		return true
	}
	switch refusal(err) {
	case 0:
	case driver.ER_CON_COUNT_ERROR, driver.ER_SERVER_SHUTDOWN, driver.ER_LOCK_WAIT_TIMEOUT, driver.ER_LOCK_DEADLOCK,
		driver.ER_QUERY_INTERRUPTED, driver.ER_NORMAL_SHUTDOWN, driver.ER_TOO_MANY_USER_CONNECTIONS, connectionKilled:
		return true
	default:
		return false
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, replication.ErrSyncClosed)
}

// connectionKilled is MariaDB's number.
const connectionKilled = 1927
