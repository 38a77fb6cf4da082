package sql

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/connect/config"
)

const (
	connectTimeout = 10 * time.Second
	closeTimeout   = 5 * time.Second
)

func checkDialect(v any) error {
	if name, _ := v.(string); name != "" && name != "PostgreSqlDatabaseDialect" && name != "MySqlDatabaseDialect" {
		return errors.New("only PostgreSqlDatabaseDialect and MySqlDatabaseDialect are supported")
	}
	return nil
}

func checkURL(v any) error {
	text, _ := v.(string)
	if text == "" {
		return nil
	}
	if isMySQL(text) {
		_, err := parseMySQL(text)
		return err
	}
	u, err := parseURL(text)
	if err != nil {
		return err
	}
	if _, err := pgx.ParseConfig(u.String()); err != nil {
		return errors.New("it cannot be used; expected jdbc:postgresql://host:port/database")
	}
	return nil
}

// ownParameters are those of the URL that PostgreSQL's driver for Java has under other names, or
// that mean nothing here.
var ownParameters = map[string]string{
	"ApplicationName": "application_name", "currentSchema": "search_path", "connectTimeout": "connect_timeout",
	"ssl": "", "sslfactory": "", "socketTimeout": "", "loginTimeout": "", "tcpKeepAlive": "", "stringtype": "", "reWriteBatchedInserts": "", "prepareThreshold": "",
}

// parseURL of JDBC or PostgreSQL's own. Errors do not have it in them: it may have a password.
func parseURL(text string) (*url.URL, error) {
	plain, isJava := strings.CutPrefix(strings.TrimSpace(text), "jdbc:")
	u, err := url.Parse(plain)
	if err != nil {
		return nil, errors.New("it is no URL; expected jdbc:postgresql://host:port/database")
	}
	if u.Scheme != "postgresql" && u.Scheme != "postgres" {
		return nil, fmt.Errorf("databases of the kind %q are not supported; expected jdbc:postgresql://host:port/database, or jdbc:mysql: or jdbc:mariadb: instead", u.Scheme)
	}
	if !isJava {
		return u, nil
	}
	query := u.Query()
	var user *url.Userinfo
	if query.Has("user") {
		user = url.UserPassword(query.Get("user"), query.Get("password"))
		query.Del("user")
		query.Del("password")
	}
	if query.Get("ssl") == "true" && !query.Has("sslmode") {
		query.Set("sslmode", "verify-full")
	}
	for java, ours := range ownParameters {
		if query.Has(java) {
			if ours != "" {
				query.Set(ours, query.Get(java))
			}
			query.Del(java)
		}
	}
	u.RawQuery = query.Encode()
	if user != nil {
		u.User = user
	}
	return u, nil
}

// connConfig of the settings.
func (s *settings) connConfig() (*pgx.ConnConfig, error) {
	u, err := parseURL(s.url)
	if err != nil {
		return nil, err
	}
	if s.user != "" {
		u.User = url.UserPassword(s.user, s.password)
	} else if s.password != "" && u.User != nil {
		u.User = url.UserPassword(u.User.Username(), s.password)
	}
	c, err := pgx.ParseConfig(u.String())
	if err != nil {
		return nil, errors.New("connection.url cannot be used") // the driver's error may quote the password
	}
	if c.ConnectTimeout <= 0 {
		c.ConnectTimeout = connectTimeout
	}
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "pabal"
	}
	c.RuntimeParams["timezone"] = s.zone
	c.RuntimeParams["datestyle"] = "ISO, YMD"
	c.RuntimeParams["intervalstyle"] = "postgres"
	return c, nil
}

// checkConnection adds to problems that the database cannot be reached.
func (s *settings) checkConnection(ctx context.Context, problems, wrong []config.Problem) []config.Problem {
	if slices.ContainsFunc(wrong, func(p config.Problem) bool { return strings.HasPrefix(p.Key, "connection.") }) {
		return problems
	}
	if err := s.ping(ctx); err != nil {
		problems = append(problems, config.Problem{Key: "connection.url", Message: "Unable to connect: " + s.hidden(err)})
	}
	return problems
}

func (s *settings) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	one, err := s.dialect.open(ctx, s)
	if err != nil {
		return err
	}
	one.close(ctx)
	return nil
}

// hidden leaves secrets out of an error's text.
func (s *settings) hidden(err error) string {
	text := err.Error()
	secrets := []string{s.password}
	if u, failed := parseURL(s.url); failed == nil && u.User != nil {
		password, _ := u.User.Password()
		secrets = append(secrets, password)
	}
	if isMySQL(s.url) {
		if to, failed := parseMySQL(s.url); failed == nil {
			secrets = append(secrets, to.password)
		}
	}
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	return text
}
