package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
)

const (
	defaultLimit = 50
	maxLimit     = 500
	// maxScan is how much of the files one request reads, in bytes; a search goes
	// on with the page's cursor.
	maxScan = 32 << 20
)

// Entries implements api.Audit: newest first; Search looks into every text. A line
// that cannot be read is an entry whose outcome is "unreadable".
func (l *Log) Entries(ctx context.Context, q api.PageQuery) (api.Page[api.AuditEntry], error) {
	if q.Limit < 0 || q.Limit > maxLimit {
		return api.Page[api.AuditEntry]{}, fmt.Errorf("%w: limit %d: it is from 1 to %d", api.ErrInvalid, q.Limit, maxLimit)
	}
	if q.Limit == 0 {
		q.Limit = defaultLimit
	}
	q.Search = strings.ToLower(q.Search)
	l.mu.Lock()
	current, size, closed := l.file, l.size, l.closed
	if l.config.Path == "" && !closed {
		defer l.mu.Unlock()
		return l.memory.page(q)
	}
	l.mu.Unlock()
	if closed {
		return api.Page[api.AuditEntry]{}, fmt.Errorf("%w: %w", api.ErrUnavailable, ErrClosed)
	}
	if current == nil {
		size = -1
	}
	return l.scan(ctx, q, size)
}

// scan reads file after file, the current one up to size (-1: all of it).
func (l *Log) scan(ctx context.Context, q api.PageQuery, size int64) (api.Page[api.AuditEntry], error) {
	s := scanner{q: q, page: api.Page[api.AuditEntry]{Items: []api.AuditEntry{}, Total: -1}, left: maxScan}
	if err := s.parse(q.Cursor); err != nil {
		return s.page, err
	}
	for n := 0; n <= l.config.Keep && s.page.Next == ""; n++ {
		f, err := os.Open(l.name(n))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = s.file(ctx, f, size)
			f.Close()
		}
		if err != nil {
			return s.page, fmt.Errorf("%w: reading the audit log: %w", api.ErrUnavailable, err)
		}
		size = -1
	}
	if s.seek != "" {
		return s.page, fmt.Errorf("%w: that part of the audit log is not there any more; begin again without a cursor", api.ErrInvalid)
	}
	return s.page, nil
}

// scanner collects a page. A cursor names a file by a digest of its first line,
// which outlives renaming, and a place in it.
type scanner struct {
	q    api.PageQuery
	page api.Page[api.AuditEntry]
	left int64
	// seek is the digest of the file to go on in, "" once it was found.
	seek string
	at   int64
	// read is the digest of the file read last: a rotation meanwhile brings it
	// again under its next name.
	read string
}

func (s *scanner) parse(cursor string) error {
	if cursor == "" {
		return nil
	}
	digest, at, ok := strings.Cut(cursor, "-")
	n, err := strconv.ParseInt(at, 10, 64)
	if !ok || digest == "" || err != nil || n < 0 {
		return fmt.Errorf("%w: cursor %q is not one of this list", api.ErrInvalid, clip(cursor, 64))
	}
	s.seek, s.at = digest, n
	return nil
}

// file goes through one file, from its end or from where the cursor points.
func (s *scanner) file(ctx context.Context, f *os.File, size int64) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if size < 0 || size > info.Size() {
		size = info.Size()
	}
	digest, err := digestOf(f)
	if err != nil {
		return err
	}
	if s.seek != "" {
		if s.seek != digest || s.at > size {
			return nil
		}
		s.seek, size = "", s.at
	}
	if s.read == digest {
		return nil
	}
	s.read = digest
	return s.lines(ctx, &backward{from: f, at: size}, digest, filepath.Base(f.Name()))
}

func (s *scanner) lines(ctx context.Context, b *backward, digest, name string) error {
	for end := b.at; ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		l, err := b.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(l.text)) > 0 || l.broken {
			if e := l.entry(name); matches(e, s.q.Search) {
				s.page.Items = append(s.page.Items, e)
			}
		}
		s.left -= end - l.start
		end = l.start
		if len(s.page.Items) == s.q.Limit || s.left <= 0 {
			s.page.Next = fmt.Sprintf("%s-%d", digest, l.start)
			return nil
		}
	}
}

// digestOf is a short digest of a file's first line.
func digestOf(f *os.File) (string, error) {
	first := make([]byte, 4<<10)
	n, err := f.ReadAt(first, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	start, _, _ := bytes.Cut(first[:n], []byte("\n"))
	sum := sha256.Sum256(start)
	return hex.EncodeToString(sum[:8]), nil
}

// entry is the line's; one that is none says where it lies.
func (l line) entry(name string) api.AuditEntry {
	var e api.AuditEntry
	if !l.broken && json.Unmarshal(l.text, &e) == nil {
		return e
	}
	return api.AuditEntry{Outcome: "unreadable", Target: name,
		Detail: fmt.Sprintf("the line at byte %d is no entry: cut off by a crash, or changed by hand", l.start)}
}

func matches(e api.AuditEntry, search string) bool {
	if search == "" {
		return true
	}
	for _, text := range []string{e.User, string(e.Role), e.From, e.Act, e.Target, e.Detail, e.Outcome} {
		if strings.Contains(strings.ToLower(text), search) {
			return true
		}
	}
	return false
}
