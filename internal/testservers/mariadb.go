package testservers

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// MariaDBUser is the superuser of the servers that StartMariaDB makes.
const MariaDBUser = "pabal"

// The logs reach the system before a commit is answered, so commits survive SIGKILL;
// giving up fsync gives up surviving a power cut only.
var mariaDBSettings = []string{
	"--bind-address=127.0.0.1", "--skip-name-resolve", "--max-connections=300",
	"--server-id=1", "--log-bin=binlog", "--log-slave-updates", "--gtid-strict-mode=ON",
	"--binlog-format=ROW", "--binlog-row-image=FULL", "--binlog-row-metadata=FULL",
	"--sync-binlog=0", "--innodb-flush-log-at-trx-commit=2", "--innodb-flush-method=nosync",
	"--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M",
	"--character-set-server=utf8mb4", "--default-time-zone=+00:00",
}

// StartMariaDB starts a MariaDB in a temporary folder that Close removes, with a binary
// log of whole rows and their columns' names. arguments are further ones of the command
// line, such as "--max-binlog-size=4096". ctx bounds the start only.
//
// URL is a mysql:// one. The server accepts connections over TCP, with a password.
func StartMariaDB(ctx context.Context, arguments ...string) (*Server, error) {
	path, err := FindMariaDB()
	if err != nil {
		return nil, err
	}
	return startFirst(ctx, func() (*Server, error) {
		f, err := makeFolder("", "mariadb", nil)
		if err != nil {
			return nil, fmt.Errorf("prepare a folder for MariaDB: %w", err)
		}
		m := &mariaDB{path: path, folder: f, arguments: arguments}
		s, err := m.server(ctx)
		if err != nil {
			_ = f.remove()
			return nil, err
		}
		return s, nil
	})
}

type mariaDB struct {
	path      string
	folder    folder
	arguments []string
}

func (m *mariaDB) server(ctx context.Context) (*Server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	if err := m.initialise(ctx); err != nil {
		return nil, err
	}
	password := rand.Text()
	if err := m.writeUsers(password); err != nil {
		return nil, err
	}
	m.arguments = append(m.commandLine(port), m.arguments...)
	where := url.URL{Scheme: "mysql", User: url.UserPassword(MariaDBUser, password), Host: localAddr(port), Path: "/"}
	return &Server{
		Name: MariaDBName(m.path), Addr: where.Host, URL: where.String(), LogFile: m.log(),
		folder:  m.folder,
		program: program{start: m.start, ready: m.ready, orderly: syscall.SIGTERM, quick: syscall.SIGKILL},
	}, nil
}

// initialise makes the system's tables.
func (m *mariaDB) initialise(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "mariadb-install-db", append([]string{"--no-defaults", "--datadir=" + m.folder.data(),
		"--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"}, m.runAs()...)...)
	cmd.Dir = m.folder.path
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mariadb-install-db in %s: %w\n%s", m.folder.data(), err, out[max(0, len(out)-2000):])
	}
	return nil
}

// writeUsers writes what the server executes at each start. It keeps the password off the
// command line, and makes root's unknown.
func (m *mariaDB) writeUsers(password string) error {
	statements := []string{
		"SET SESSION sql_log_bin = 0",
		fmt.Sprintf("CREATE USER IF NOT EXISTS '%s'@'127.0.0.1' IDENTIFIED BY '%s'", MariaDBUser, password),
		fmt.Sprintf("GRANT ALL ON *.* TO '%s'@'127.0.0.1' WITH GRANT OPTION", MariaDBUser),
		fmt.Sprintf("ALTER USER IF EXISTS 'root'@'localhost' IDENTIFIED BY '%s'", rand.Text()),
	}
	return os.WriteFile(m.users(), []byte(strings.Join(statements, ";\n")+";\n"), 0o600)
}

func (m *mariaDB) commandLine(port int) []string {
	// --no-defaults has to be the first.
	all := append([]string{"--no-defaults", "--datadir=" + m.folder.data(), "--port=" + strconv.Itoa(port),
		"--socket=" + m.folder.file("socket"), "--pid-file=" + m.folder.file("pid"), "--init-file=" + m.users()}, mariaDBSettings...)
	return append(all, m.runAs()...)
}

// runAs says that root is meant: the server refuses it else.
func (m *mariaDB) runAs() []string {
	if os.Geteuid() != 0 {
		return nil
	}
	return []string{"--user=root"}
}

func (m *mariaDB) start() (*process, error) {
	cmd := exec.Command(m.path, m.arguments...)
	cmd.Dir = m.folder.path
	closeLog, err := logTo(cmd, m.log())
	if err != nil {
		return nil, err
	}
	defer closeLog()
	return startProcess(cmd, syscall.SIGKILL)
}

// ready waits for the server's own word, which comes after the users are made.
func (m *mariaDB) ready(_ *process, logOffset int64) bool {
	data, err := os.ReadFile(m.log())
	if err != nil {
		return false
	}
	return bytes.Contains(data[min(int(logOffset), len(data)):], []byte("ready for connections."))
}

func (m *mariaDB) log() string   { return m.folder.file("mariadb.log") }
func (m *mariaDB) users() string { return m.folder.file("users.sql") }

// FindMariaDB returns the path of MariaDB's server.
func FindMariaDB() (string, error) {
	if _, err := exec.LookPath("mariadb-install-db"); err != nil {
		return "", fmt.Errorf("MariaDB: %w: no mariadb-install-db on PATH; %s", ErrMissing, installHint)
	}
	if path, err := exec.LookPath("mariadbd"); err == nil {
		return path, nil
	}
	const sbin = "/usr/sbin" // not on everybody's PATH
	if !isProgram(sbin, "mariadbd") {
		return "", fmt.Errorf("MariaDB: %w: no mariadbd on PATH or in %s; %s", ErrMissing, sbin, installHint)
	}
	return filepath.Join(sbin, "mariadbd"), nil
}

// MariaDBName returns the product and version of a server's program.
func MariaDBName(path string) string {
	out, _ := exec.Command(path, "--no-defaults", "--version").Output()
	_, after, _ := strings.Cut(string(out), "Ver ")
	return "MariaDB " + firstVersion(after)
}
