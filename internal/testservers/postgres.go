package testservers

import (
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

// PostgresUser is the superuser of the clusters that StartPostgres makes.
const PostgresUser = "pabal"

// The write-ahead log reaches the system before a commit is answered, so
// commits survive SIGKILL; fsync off gives up surviving a power cut only.
const postgresSettings = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
wal_level = logical
max_connections = 300
max_prepared_transactions = 20
max_wal_senders = 40
max_replication_slots = 40
fsync = off
full_page_writes = off
synchronous_commit = on
password_encryption = scram-sha-256
dynamic_shared_memory_type = mmap
timezone = 'UTC'
lc_messages = 'C'
`

// StartPostgres makes a private PostgreSQL cluster below dir and starts it;
// with an empty dir in a temporary folder that Close removes. A dir that holds
// a cluster of StartPostgres already is refused. settings are further lines of
// postgresql.conf, such as "fsync = on". ctx bounds the start only.
//
// Passwords are checked (SCRAM). PostgreSQL refuses to run as root: then it runs
// as user postgres or nobody, who must be able to enter dir.
func StartPostgres(ctx context.Context, dir string, settings ...string) (*Server, error) {
	bin, err := FindPostgres()
	if err != nil {
		return nil, err
	}
	return startPostgres(ctx, dir, func(pg *postgres) (*Server, error) {
		pg.bin = bin
		return pg.server(ctx, settings)
	})
}

// startPostgres with a folder that is prepared.
func startPostgres(ctx context.Context, dir string, prepare func(*postgres) (*Server, error)) (*Server, error) {
	user, err := unprivileged()
	if err != nil {
		return nil, err
	}
	return startFirst(ctx, func() (*Server, error) {
		f, err := makeFolder(dir, "postgres", user)
		if err != nil {
			return nil, fmt.Errorf("prepare a folder for PostgreSQL: %w", err)
		}
		s, err := prepare(&postgres{user: user, folder: f})
		if err != nil {
			_ = f.remove()
			return nil, err
		}
		return s, nil
	})
}

type postgres struct {
	bin    string
	user   *account
	folder folder
}

func (pg *postgres) server(ctx context.Context, settings []string) (*Server, error) {
	password := rand.Text()
	if err := pg.initialise(ctx, password); err != nil {
		return nil, err
	}
	return pg.serve(password, append([]string{postgresSettings}, settings...))
}

// serve what is in the folder, with further settings, on a port of its own.
func (pg *postgres) serve(password string, settings []string) (*Server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	if err := pg.configure(append(settings, "port = "+strconv.Itoa(port))); err != nil {
		return nil, err
	}
	where := url.URL{Scheme: "postgres", User: url.UserPassword(PostgresUser, password),
		Host: localAddr(port), Path: "/postgres", RawQuery: "sslmode=disable"}
	return &Server{
		Name: PostgresName(pg.bin), Addr: where.Host, URL: where.String(), LogFile: pg.folder.file("postgres.log"),
		folder: pg.folder,
		// SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one.
		program: program{start: pg.start, ready: pg.ready, orderly: syscall.SIGINT, quick: syscall.SIGQUIT},
	}, nil
}

func (pg *postgres) initialise(ctx context.Context, password string) error {
	if _, err := os.Stat(pg.folder.data()); err == nil {
		return fmt.Errorf("%s exists already: name an empty folder for a new PostgreSQL cluster", pg.folder.data())
	}
	secret, err := pg.secretFile(password)
	if err != nil {
		return err
	}
	defer os.Remove(secret)
	cmd := exec.CommandContext(ctx, filepath.Join(pg.bin, "initdb"), "-D", pg.folder.data(), "-U", PostgresUser,
		"--pwfile", secret, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync")
	pg.prepare(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb in %s: %w\n%s", pg.folder.data(), err, out)
	}
	return nil
}

// secretFile keeps the password off the command line, where all can read it.
func (pg *postgres) secretFile(password string) (string, error) {
	file := pg.folder.file("password")
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		return "", err
	}
	if pg.user == nil {
		return file, nil
	}
	return file, os.Chown(file, pg.user.uid, pg.user.gid)
}

func (pg *postgres) configure(settings []string) error {
	f, err := os.OpenFile(filepath.Join(pg.folder.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString("\n" + strings.Join(settings, "\n") + "\n")
	return err
}

func (pg *postgres) start() (*process, error) {
	cmd := exec.Command(filepath.Join(pg.bin, "postgres"), "-D", pg.folder.data())
	pg.prepare(cmd)
	closeLog, err := logTo(cmd, pg.folder.file("postgres.log"))
	if err != nil {
		return nil, err
	}
	defer closeLog()
	return startProcess(cmd, syscall.SIGQUIT)
}

func (pg *postgres) prepare(cmd *exec.Cmd) {
	cmd.Dir = pg.folder.path
	cmd.Env = append(withoutPG(os.Environ()), "LC_ALL=C", "TZ=UTC")
	pg.user.runAs(cmd)
}

// ready reads the postmaster's own word: the lock file begins with its process
// id, and its eighth line is "ready" once connections are accepted.
func (pg *postgres) ready(p *process, _ int64) bool {
	data, err := os.ReadFile(filepath.Join(pg.folder.data(), "postmaster.pid"))
	if err != nil {
		return false
	}
	lines := strings.Split(string(data), "\n")
	return len(lines) >= 8 && strings.TrimSpace(lines[0]) == strconv.Itoa(p.pid()) &&
		strings.TrimSpace(lines[7]) == "ready"
}

// withoutPG drops PGDATA, PGPORT and the like, which would steer the server.
func withoutPG(env []string) []string {
	var kept []string
	for _, v := range env {
		if !strings.HasPrefix(v, "PG") {
			kept = append(kept, v)
		}
	}
	return kept
}
