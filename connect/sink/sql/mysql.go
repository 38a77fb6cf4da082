package sql

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-mysql-org/go-mysql/client"
	driver "github.com/go-mysql-org/go-mysql/mysql"
)

// mySQL is MariaDB and MySQL; zone is that of times in columns that have none.
type mySQL struct{ zone *time.Location }

func newMySQL(zone string) mySQL {
	at, err := time.LoadLocation(zone)
	if err != nil || zone == "" {
		at = time.UTC // a zone that is none was refused
	}
	return mySQL{at}
}

func isMySQL(text string) bool {
	text = strings.TrimPrefix(strings.TrimSpace(text), "jdbc:")
	return strings.HasPrefix(text, "mysql:") || strings.HasPrefix(text, "mariadb:")
}

// mysqlAddress is where a server is, and who asks.
type mysqlAddress struct {
	host, database, user, password string
	tls                            *tls.Config
}

var errMySQLURL = errors.New("it cannot be used; expected jdbc:mysql://host:port/database or jdbc:mariadb://host:port/database")

// parseMySQL understands the parameters user, password, sslMode, useSSL and requireSSL of the Java
// drivers; others are about those drivers. Errors do not have the URL in them.
func parseMySQL(text string) (mysqlAddress, error) {
	u, err := url.Parse(strings.TrimPrefix(strings.TrimSpace(text), "jdbc:"))
	if err != nil || u.Hostname() == "" || strings.Contains(u.Host, ",") {
		return mysqlAddress{}, errMySQLURL
	}
	query := u.Query()
	a := mysqlAddress{
		host: net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "3306")), database: strings.TrimPrefix(u.Path, "/"),
		user: query.Get("user"), password: query.Get("password"),
	}
	if u.User != nil {
		a.user = u.User.Username()
		a.password, _ = u.User.Password()
	}
	mode := strings.ToLower(strings.ReplaceAll(query.Get("sslMode"), "-", "_"))
	switch mode {
	case "required", "trust":
		a.tls = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12} //nolint:gosec // what the mode means
	case "verify_ca", "verify_identity", "verify_full":
		a.tls = &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
	case "":
		if query.Get("useSSL") == "true" || query.Get("requireSSL") == "true" {
			a.tls = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12} //nolint:gosec // as those drivers do
		}
	}
	return a, nil
}

// mysqlSession is a connection to MariaDB or MySQL.
type mysqlSession struct {
	conn *client.Conn
	dead atomic.Bool
}

// setUp: what does not fit is refused, 0 is no wish for a number, and times are as they are sent.
const setUp = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION', SESSION time_zone = '+00:00'"

func (mySQL) open(ctx context.Context, s *settings) (session, error) {
	to, err := parseMySQL(s.url)
	if err != nil {
		return nil, err
	}
	if s.user != "" {
		to.user = s.user
	}
	if s.password != "" {
		to.password = s.password
	}
	connecting, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(connecting, "tcp", to.host)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(connecting, func() { _ = raw.Close() })
	conn, err := client.ConnectWithDialer(connecting, "tcp", to.host, to.user, to.password, to.database,
		func(context.Context, string, string) (net.Conn, error) { return raw, nil },
		func(c *client.Conn) error {
			c.SetTLSConfig(to.tls)
			return nil
		})
	for _, statement := range []string{"SET NAMES utf8mb4", setUp} {
		if err == nil {
			_, err = conn.Execute(statement)
		}
	}
	if !stop() || err != nil {
		_ = raw.Close()
		return nil, cmp.Or(context.Cause(connecting), cause(err), net.ErrClosed)
	}
	return &mysqlSession{conn: conn}, nil
}

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

// within does something with the connection, which is closed where ctx ends meanwhile.
func (s *mysqlSession) within(ctx context.Context, do func() error) error {
	stop := context.AfterFunc(ctx, func() { _ = s.conn.Close() })
	err := cause(do())
	ended := !stop()
	var answer *driver.MyError
	if ended || err != nil && !errors.As(err, &answer) {
		s.dead.Store(true)
	}
	if ended {
		return context.Cause(ctx)
	}
	return err
}

func (s *mysqlSession) closed() bool { return s.dead.Load() }

func (s *mysqlSession) close(context.Context) { _ = s.conn.Close() }

func (s *mysqlSession) define(ctx context.Context, statement string) error {
	return s.within(ctx, func() error {
		_, err := s.conn.Execute(statement)
		return err
	})
}

const mysqlColumns = "SELECT column_name, data_type, extra FROM information_schema.columns WHERE table_schema = COALESCE(NULLIF(?, ''), DATABASE()) AND table_name = ?"

func (s *mysqlSession) load(ctx context.Context, name tableName) (*table, error) {
	out := &table{name: name, columns: map[string]column{}, anyCase: true}
	err := s.within(ctx, func() error {
		found, err := s.conn.Execute(mysqlColumns, name.schema, name.table)
		if err != nil {
			return err
		}
		for i := range found.Values {
			var text [3]string
			for j := range text {
				if text[j], err = found.GetString(i, j); err != nil {
					return fmt.Errorf("the columns of %s: %w", name.quoted(), err)
				}
			}
			extra := strings.ToUpper(text[2])
			out.columns[strings.ToLower(text[0])] = column{
				name: text[0], kind: columnType(strings.ToLower(text[1])),
				generated: strings.Contains(extra, "STORED") || strings.Contains(extra, "VIRTUAL") || strings.Contains(extra, "PERSISTENT"),
			}
		}
		return nil
	})
	if err != nil || len(out.columns) == 0 {
		return nil, err
	}
	return out, nil
}
