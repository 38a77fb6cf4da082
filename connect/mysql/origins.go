package mysql

import (
	"fmt"
	"strings"

	"github.com/go-mysql-org/go-mysql/replication"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/debezium"
)

// origins say of which servers' transactions the changes are streamed.
type origins struct{ include, exclude *debezium.Matcher }

func newOrigins(v config.Values) (o origins, err error) {
	read := func(key string) *debezium.Matcher {
		text, _ := v.Raw(key)
		if strings.TrimSpace(text) == "" {
			return nil
		}
		m, e := debezium.ParseMatcher(text)
		if e != nil && err == nil {
			err = config.Problem{Key: key, Message: e.Error()}
		}
		return m
	}
	o.include, o.exclude = read("gtid.source.includes"), read("gtid.source.excludes")
	if err == nil && o.include != nil && o.exclude != nil {
		err = config.Problem{Key: "gtid.source.excludes", Message: "gtid.source.includes is already specified"}
	}
	return o, err
}

// streamed says whether changes are that came from a server. Where the log does not tell from which
// they are.
func (o origins) streamed(server string) bool {
	switch {
	case server == "":
		return true
	case o.include != nil:
		return o.include.Match(server)
	}
	return o.exclude == nil || !o.exclude.Match(server)
}

// mariaOrigin is that of a transaction of MariaDB.
func mariaOrigin(h *replication.EventHeader, e *replication.MariadbGTIDEvent) string {
	return fmt.Sprintf("%d-%d", e.GTID.DomainID, h.ServerID)
}

// mysqlOrigin is the server's UUID, which a transaction's id begins with.
func mysqlOrigin(gtid string) string {
	server, _, _ := strings.Cut(gtid, ":")
	return server
}
