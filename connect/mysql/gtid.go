package mysql

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	driver "github.com/go-mysql-org/go-mysql/mysql"
)

// gtidSet is a set of transactions. It does not change.
type gtidSet interface {
	// with is the set with one more transaction.
	with(gtid string) (gtidSet, error)
	String() string
}

// domains are MariaDB's: the last transaction of each domain.
type domains map[uint32]gtid

type gtid struct {
	server   uint32
	sequence uint64
}

func parseGTIDs(f flavor, text string) (gtidSet, error) {
	if f == mysql {
		s, err := driver.ParseMysqlGTIDSet(strings.Join(strings.Fields(text), ""))
		if err != nil {
			return nil, cause(err)
		}
		return uuids{s.(*driver.MysqlGTIDSet)}, nil
	}
	var out gtidSet = domains{}
	for _, part := range strings.Split(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		var err error
		if out, err = out.with(part); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func parseGTID(text string) (domain uint32, g gtid, err error) {
	parts := strings.Split(text, "-")
	if len(parts) != 3 {
		return 0, g, fmt.Errorf("%q is no global transaction id", text)
	}
	d, err1 := strconv.ParseUint(parts[0], 10, 32)
	s, err2 := strconv.ParseUint(parts[1], 10, 32)
	n, err3 := strconv.ParseUint(parts[2], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil {
		return 0, g, fmt.Errorf("%q is no global transaction id", text)
	}
	return uint32(d), gtid{uint32(s), n}, nil
}

func (d domains) with(text string) (gtidSet, error) {
	domain, g, err := parseGTID(text)
	if err != nil {
		return nil, err
	}
	if d[domain].sequence > g.sequence {
		return d, nil // of another server, before a failover
	}
	out := maps.Clone(d)
	out[domain] = g
	return out, nil
}

func (d domains) String() string {
	var parts []string
	for _, domain := range slices.Sorted(maps.Keys(d)) {
		parts = append(parts, fmt.Sprintf("%d-%d-%d", domain, d[domain].server, d[domain].sequence))
	}
	return strings.Join(parts, ",")
}

// uuids are MySQL's: ranges of transactions of each server.
type uuids struct{ set *driver.MysqlGTIDSet }

func (u uuids) with(text string) (gtidSet, error) {
	next := u.set.Clone().(*driver.MysqlGTIDSet)
	if err := next.Update(text); err != nil {
		return nil, cause(err)
	}
	return uuids{next}, nil
}

func (u uuids) String() string { return u.set.String() }
