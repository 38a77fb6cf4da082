package traffic

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

// Ledger remembers in a file which orders the order service accepted, so that
// at the end each can be asked for, however many there are. A folder that is
// used again keeps its ledger. Other systems' customers, whose requests have no
// keys, write what they asked for in place of the key.
type Ledger struct {
	mu      sync.Mutex
	file    *os.File
	out     *bufio.Writer
	unknown int64
}

// OpenLedger opens or creates the file; the caller closes the ledger.
func OpenLedger(path string) (*Ledger, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("ledger of accepted orders: %w", err)
	}
	l := &Ledger{file: f, out: bufio.NewWriterSize(f, 64<<10)}
	return l, l.startLine()
}

// startLine ends a line that a crash cut off.
func (l *Ledger) startLine() error {
	_, err := l.out.WriteString("\n")
	return err
}

// Accepted records that the POST with that key was answered with that order.
func (l *Ledger) Accepted(key, order string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := l.out.WriteString(key + " " + order + " .\n")
	return err
}

// Unknown records that a POST was never answered: it may have an order or none.
func (l *Ledger) Unknown(string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unknown++
}

// UnknownCount is how many POSTs of this run were never answered.
func (l *Ledger) UnknownCount() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unknown
}

// Read calls fn with batches of what was accepted, in this run and before it,
// in the order of acceptance. Nobody may write meanwhile.
func (l *Ledger) Read(batch int, fn func(keys, orders []string) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.out.Flush(); err != nil {
		return err
	}
	if _, err := l.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	var keys, orders []string
	lines := bufio.NewScanner(l.file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) != 3 || fields[2] != "." {
			continue // cut off by a crash
		}
		keys, orders = append(keys, fields[0]), append(orders, fields[1])
		if len(keys) == batch {
			if err := fn(keys, orders); err != nil {
				return err
			}
			keys, orders = keys[:0], orders[:0]
		}
	}
	if err := lines.Err(); err != nil || len(keys) == 0 {
		return err
	}
	return fn(keys, orders)
}

// Close writes what is left.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.out.Flush(), l.file.Close())
}
