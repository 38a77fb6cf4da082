package mysql

import (
	"context"
	"errors"
	"fmt"
	"strings"

	driver "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/debezium"
)

func (f flavor) check(ctx context.Context, cfg config.Values, wrong []config.Problem) []config.Problem {
	problems := debezium.CheckRelational(cfg)
	if _, err := newOptions(f, cfg); err != nil {
		var p config.Problem
		if errors.As(err, &p) && len(problems) == 0 {
			problems = append(problems, p)
		}
	}
	for _, p := range append(wrong, problems...) {
		switch p.Key {
		case "database.hostname", "database.port", "database.user", "database.password", "database.ssl.mode", "connect.timeout.ms":
			return problems
		}
	}
	ctx, cancel := context.WithTimeout(ctx, max(cfg.Millis("connection.validation.timeout.ms"), 1))
	defer cancel()
	if p := f.checkServer(ctx, cfg); p != nil {
		problems = append(problems, *p)
	}
	return problems
}

func (f flavor) checkServer(ctx context.Context, cfg config.Values) *config.Problem {
	at := func(key string, err error) *config.Problem {
		return &config.Problem{Key: key, Message: fmt.Sprintf("Error while validating connector config: %v", err)}
	}
	db, err := connect(ctx, f, cfg)
	if err != nil {
		return at(keyOfFailure(err), err)
	}
	defer db.close()
	version, err := db.text("SELECT VERSION()")
	if err != nil {
		return at("database.hostname", err)
	}
	if is := strings.Contains(strings.ToLower(version), "mariadb"); is != (f == mariadb) {
		return at("database.hostname", fmt.Errorf("the server's version is %s: use the connector %s", version, other[f]))
	}
	if err := ready(db); err != nil {
		return at("database.hostname", err)
	}
	if err := rights(db); err != nil {
		return at("database.user", err)
	}
	return nil
}

var other = map[flavor]string{mariadb: MySQLClass, mysql: MariaDBClass}

// keyOfFailure is what a connection that failed has wrong, as far as the server tells.
func keyOfFailure(err error) string {
	switch refusal(err) {
	case driver.ER_ACCESS_DENIED_ERROR:
		return "database.password"
	case driver.ER_HOST_NOT_PRIVILEGED, driver.ER_DBACCESS_DENIED_ERROR:
		return "database.user"
	}
	var p config.Problem
	if errors.As(err, &p) {
		return p.Key
	}
	return "database.hostname"
}

// ready says what the server's settings lack.
func ready(db *database) error {
	for _, want := range []struct{ name, value, remedy string }{
		{"log_bin", "1", "start the server with log_bin"},
		{"binlog_format", "ROW", "set it to ROW"},
		{"binlog_row_image", "FULL", "set it to FULL"},
	} {
		value, err := db.variable(want.name)
		if err != nil {
			return fmt.Errorf("read the server's %s: %w", want.name, err)
		}
		if value != "" && !strings.EqualFold(value, want.value) {
			return fmt.Errorf("%w: the server's %s is %s: %s", ErrSetup, want.name, value, want.remedy)
		}
	}
	return nil
}

// needed rights, each by the names that servers have for it.
var needed = [][]string{
	{"REPLICATION SLAVE", "REPLICATION REPLICA"},
	{"REPLICATION CLIENT", "BINLOG MONITOR"},
}

// rights says which of the user's are missing, as far as its grants tell: those of roles do not.
func rights(db *database) error {
	rows, err := db.rows("SHOW GRANTS")
	if err != nil {
		return fmt.Errorf("read the user's rights: %w", err)
	}
	var grants []string
	for _, row := range rows {
		if row[0] == nil {
			continue
		}
		grant, _, to := strings.Cut(strings.ToUpper(*row[0]), " ON *.* TO ")
		if !to && !strings.Contains(grant, " ON ") || strings.HasPrefix(grant, "GRANT ALL PRIVILEGES") && to {
			return nil // of a role, or everything
		}
		if to {
			grants = append(grants, strings.Split(strings.TrimPrefix(grant, "GRANT "), ", ")...)
		}
	}
	for _, names := range needed {
		if !anyOf(grants, names) {
			return fmt.Errorf("%w: the user has no right to %s: GRANT %[2]s ON *.* TO it", ErrSetup, names[0])
		}
	}
	return nil
}

func anyOf(have, names []string) bool {
	for _, h := range have {
		for _, name := range names {
			if strings.TrimSpace(h) == name {
				return true
			}
		}
	}
	return false
}
