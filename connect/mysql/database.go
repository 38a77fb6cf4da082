package mysql

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/go-mysql-org/go-mysql/client"
	driver "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/pabal-dev/pabal/connect/config"
)

// database is a connection whose waits end with a context.
type database struct {
	*client.Conn
	forget func() bool
}

// patient keeps the server from giving up on us while Kafka is slow.
const patient = "SET SESSION net_write_timeout = 86400, SESSION net_read_timeout = 86400, SESSION wait_timeout = 86400"

// connect to the server; the connection is closed when ctx ends.
func connect(ctx context.Context, f flavor, v config.Values) (*database, error) {
	c, forget, err := dial(ctx, f, v)
	if err != nil {
		return nil, err
	}
	db := &database{Conn: c, forget: forget}
	statements := append([]string{"SET NAMES utf8mb4", "SET SESSION time_zone = '+00:00'", patient}, initial(v)...)
	for _, statement := range statements {
		if _, err := db.Execute(statement); err != nil {
			db.close()
			return nil, fmt.Errorf("%s: %w", statement, cause(err))
		}
	}
	return db, nil
}

func dial(ctx context.Context, f flavor, v config.Values) (*client.Conn, func() bool, error) {
	options, fallback, err := encryption(f, v)
	if err != nil {
		return nil, nil, err
	}
	c, forget, err := dialWith(ctx, v, options)
	if err != nil && fallback && strings.Contains(err.Error(), "TLS") {
		return dialWith(ctx, v, nil)
	}
	return c, forget, err
}

func dialWith(ctx context.Context, v config.Values, encrypted *tls.Config) (*client.Conn, func() bool, error) {
	connecting, cancel := context.WithTimeout(ctx, max(v.Millis("connect.timeout.ms"), 1))
	defer cancel()
	var mu sync.Mutex
	var raw net.Conn
	interrupt := func() {
		mu.Lock()
		defer mu.Unlock()
		if raw != nil {
			_ = raw.Close()
		}
	}
	handshake := context.AfterFunc(connecting, interrupt)
	c, err := client.ConnectWithDialer(connecting, "tcp", address(v), v.String("database.user"), v.String("database.password"), "",
		func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, network, address)
			mu.Lock()
			defer mu.Unlock()
			raw = c
			return c, err
		},
		func(c *client.Conn) error {
			c.SetTLSConfig(encrypted)
			return nil
		})
	if err != nil {
		handshake()
		return nil, nil, cause(err)
	}
	if !handshake() {
		return nil, nil, context.Cause(connecting)
	}
	return c, context.AfterFunc(ctx, interrupt), nil
}

func address(v config.Values) string {
	return net.JoinHostPort(v.String("database.hostname"), strconv.FormatInt(v.Int("database.port"), 10))
}

// encryption of connections; fallback is to do without where the server has none.
func encryption(f flavor, v config.Values) (c *tls.Config, fallback bool, err error) {
	host := v.String("database.hostname")
	whole := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	blind := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}
	switch mode := lower(v, "database.ssl.mode"); mode {
	case "disable", "disabled":
		return nil, false, nil
	case "preferred":
		return blind, true, nil
	case "trust", "required":
		return blind, false, nil
	case "verify-ca", "verify_ca":
		blind.VerifyConnection = signedByKnown
		return blind, false, nil
	case "verify-full", "verify_identity":
		return whole, false, nil
	default:
		return nil, false, config.Problem{Key: "database.ssl.mode", Message: fmt.Sprintf("%q is not known to %s", mode, f)}
	}
}

// signedByKnown checks who signed the server's certificate, whatever its name.
func signedByKnown(s tls.ConnectionState) error {
	between := x509.NewCertPool()
	for _, c := range s.PeerCertificates[1:] {
		between.AddCert(c)
	}
	_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Intermediates: between})
	return err
}

// initial statements of database.initial.statements.
func initial(v config.Values) (out []string) {
	const escaped = "\x00"
	text := strings.ReplaceAll(v.String("database.initial.statements"), ";;", escaped)
	for _, statement := range strings.Split(text, ";") {
		if statement = strings.TrimSpace(strings.ReplaceAll(statement, escaped, ";")); statement != "" {
			out = append(out, statement)
		}
	}
	return out
}

func (d *database) close() {
	d.forget()
	_ = d.Close()
}

// rows of a query with arguments, as text; nulls are nil.
func (d *database) rows(query string, args ...any) ([][]*string, error) {
	r, err := d.Execute(query, args...)
	if err != nil {
		return nil, cause(err)
	}
	defer r.Close()
	out := make([][]*string, r.RowNumber())
	for i := range out {
		out[i] = make([]*string, r.ColumnNumber())
		for j := range out[i] {
			if null, err := r.IsNull(i, j); err != nil || null {
				continue
			}
			s, err := r.GetString(i, j)
			if err != nil {
				return nil, cause(err)
			}
			copied := strings.Clone(s)
			out[i][j] = &copied
		}
	}
	return out, nil
}

// text of the first column of the first row; "" is none.
func (d *database) text(query string, args ...any) (string, error) {
	rows, err := d.rows(query, args...)
	if err != nil || len(rows) == 0 || rows[0][0] == nil {
		return "", err
	}
	return *rows[0][0], nil
}

// variable of the server; "" where it does not know it.
func (d *database) variable(name string) (string, error) {
	s, err := d.text("SELECT @@GLOBAL." + name)
	if refusal(err) == driver.ER_UNKNOWN_SYSTEM_VARIABLE {
		return "", nil
	}
	return s, err
}

func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// refusal is the number of a server's error; 0 is that it is none.
func refusal(err error) uint16 {
	var e *driver.MyError
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}
