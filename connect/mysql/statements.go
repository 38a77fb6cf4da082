package mysql

import (
	"regexp"
	"strings"

	"github.com/go-mysql-org/go-mysql/replication"

	"github.com/pabal-dev/pabal/connect/debezium"
)

// statement that is in the log as such.
func (s *stream) statement(h *replication.EventHeader, e *replication.QueryEvent, start, end place) error {
	text := strings.TrimSpace(string(e.Query))
	word, _, _ := strings.Cut(strings.ToUpper(text), " ")
	switch word {
	case "BEGIN":
		if s.tx.open {
			break
		}
		// MySQL counts from here, MariaDB from the id.
		if s.tx.gtid == "" || s.options.flavor == mysql {
			s.tx.start = start
		}
		s.tx.thread = int64(e.SlaveProxyID)
		s.begin(h)
		s.tx.events++
		return nil
	case "COMMIT", "ROLLBACK":
		if s.tx.open && !strings.Contains(strings.ToUpper(text), " TO ") {
			return s.commit(h, end)
		}
	case "SAVEPOINT", "XA":
	case "INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD":
		s.log.Warn("mysql: a change is in the log as a statement and not as rows, so that it is missing: set binlog_format to ROW for all sessions", "at", start.String())
	default:
		s.tx.thread = int64(e.SlaveProxyID)
		s.redefined(text)
		if err := s.defined(h, text, string(e.Schema), start); err != nil {
			return err
		}
		if err := s.truncated(h, text, string(e.Schema), start); err != nil {
			return err
		}
	}
	if s.tx.open {
		s.tx.events++
		return nil
	}
	return s.commit(h, end)
}

var (
	comment  = regexp.MustCompile(`(?s)^\s*/\*.*?\*/`)
	truncate = regexp.MustCompile("(?is)^\\s*TRUNCATE\\s+(?:TABLE\\s+)?((?:`(?:[^`]|``)+`|[^\\s.`;]+)(?:\\s*\\.\\s*(?:`(?:[^`]|``)+`|[^\\s.`;]+))?)")
	spaces   = regexp.MustCompile("\\s*\\.\\s*")
)

// truncated tables become records, where they are not skipped.
func (s *stream) truncated(h *replication.EventHeader, text, database string, start place) error {
	if s.options.Skipped[debezium.Truncate] && s.chunks == nil {
		return nil
	}
	for comment.MatchString(text) {
		text = comment.ReplaceAllString(text, "")
	}
	m := truncate.FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	id, ok := debezium.ParseTableID(spaces.ReplaceAllString(strings.TrimSpace(m[1]), "."), true)
	if !ok {
		return nil
	}
	if id.Catalog == "" {
		id.Catalog = database
	}
	if !s.options.Tables.Captured(id) || s.progress() != nil && !s.progress().begun(id.String()) {
		return nil
	}
	if s.chunks != nil {
		s.chunks.Truncated(id)
	}
	if s.options.Skipped[debezium.Truncate] {
		return nil
	}
	d, err := s.schemas.define(s.db, id)
	if err != nil || d == nil {
		return err
	}
	t := s.schemas.build(d)
	s.append(h, &debezium.Change{Op: debezium.Truncate, Table: t.Table, Bytes: 500}, t, start, 0, 0)
	return nil
}
