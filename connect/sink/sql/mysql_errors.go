package sql

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"

	driver "github.com/go-mysql-org/go-mysql/mysql"
)

// Numbers of errors that the driver has no names for.
const (
	killed            = 1927 // MariaDB's for a connection that was
	invalidJSON       = 3140
	checkOfMySQL      = 3819
	checkOfMariaDB    = 4025
	readOnlyServer    = 1290 // as after a failover
	signalled         = 1644 // by a trigger
	constraintOfOther = 1451
)

// mysqlPassing are answers of a server that is away or busy.
var mysqlPassing = []uint16{
	driver.ER_CON_COUNT_ERROR, driver.ER_SERVER_SHUTDOWN, driver.ER_LOCK_WAIT_TIMEOUT, driver.ER_LOCK_DEADLOCK,
	driver.ER_QUERY_INTERRUPTED, driver.ER_NORMAL_SHUTDOWN, driver.ER_TOO_MANY_USER_CONNECTIONS, killed, readOnlyServer,
}

func (mySQL) passing(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	var answer *driver.MyError
	if errors.As(err, &answer) {
		return slices.Contains(mysqlPassing, answer.Code)
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, driver.ErrBadConn)
}

// mysqlRefusable are answers about values: out of range, too long, of another type, against a
// constraint.
var mysqlRefusable = []uint16{
	driver.ER_BAD_NULL_ERROR, driver.ER_DUP_ENTRY, driver.ER_WARN_DATA_OUT_OF_RANGE, driver.WARN_DATA_TRUNCATED, driver.ER_TRUNCATED_WRONG_VALUE,
	driver.ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, driver.ER_DATA_TOO_LONG, driver.ER_NO_REFERENCED_ROW_2, driver.ER_NO_DEFAULT_FOR_FIELD,
	driver.ER_CANT_CREATE_GEOMETRY_OBJECT, driver.ER_DATA_OUT_OF_RANGE, driver.ER_NET_PACKET_TOO_LARGE,
	constraintOfOther, invalidJSON, checkOfMySQL, checkOfMariaDB, signalled,
}

func (mySQL) refusable(err error) bool {
	var answer *driver.MyError
	return errors.As(err, &answer) && slices.Contains(mysqlRefusable, answer.Code)
}
