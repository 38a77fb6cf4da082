package replication

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/connect/postgres/internal/pgoutput"
)

// Identify the server: the identifier of its cluster, which copies of it share, and the timeline of
// its log.
func (c *Conn) Identify(ctx context.Context) (system string, timeline uint32, err error) {
	results, err := c.pg.Exec(ctx, "IDENTIFY_SYSTEM").ReadAll()
	if err != nil {
		return "", 0, err
	}
	if len(results) != 1 || len(results[0].Rows) != 1 || len(results[0].Rows[0]) < 2 {
		return "", 0, errors.New("replication: IDENTIFY_SYSTEM answered nothing")
	}
	row := results[0].Rows[0]
	n, err := strconv.ParseUint(string(row[1]), 10, 32)
	return string(row[0]), uint32(n), err
}

// Branch is where a timeline left an earlier one that it comes from; ok is false where it does not.
func (c *Conn) Branch(ctx context.Context, timeline, earlier uint32) (at pgoutput.LSN, ok bool, err error) {
	results, err := c.pg.Exec(ctx, fmt.Sprintf("TIMELINE_HISTORY %d", timeline)).ReadAll()
	if err != nil {
		return 0, false, err
	}
	if len(results) != 1 || len(results[0].Rows) != 1 || len(results[0].Rows[0]) < 2 {
		return 0, false, errors.New("replication: TIMELINE_HISTORY answered nothing")
	}
	return branchIn(string(results[0].Rows[0][1]), earlier)
}

// branchIn a history file, whose lines are a timeline, where the next one left it, and why.
func branchIn(file string, earlier uint32) (at pgoutput.LSN, ok bool, err error) {
	for line := range strings.Lines(file) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != strconv.FormatUint(uint64(earlier), 10) {
			continue
		}
		at, err := pgoutput.ParseLSN(fields[1])
		return at, err == nil, err
	}
	return 0, false, nil
}
