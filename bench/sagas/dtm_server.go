package sagas

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/internal/testservers"
)

// dtmVersion is built from its module by itself: what it needs is none of ours.
const dtmVersion = "v1.19.0"

// dtmServer is a process of dtm's own program.
type dtmServer struct {
	url     string
	process *exec.Cmd
	folder  string
}

func startDTMServer(ctx context.Context, database string, connections int) (*dtmServer, error) {
	program, source, err := buildDTM(ctx)
	if err != nil {
		return nil, fmt.Errorf("build dtm: %w", err)
	}
	if err := createDTMTables(ctx, database, source); err != nil {
		return nil, fmt.Errorf("dtm's tables: %w", err)
	}
	s := &dtmServer{}
	if s.folder, err = os.MkdirTemp("", "pabal-dtm-"); err != nil {
		return nil, err
	}
	if err := s.start(ctx, program, database, connections); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// buildDTM keeps the program beside the test servers.
func buildDTM(ctx context.Context) (program, source string, err error) {
	out, err := exec.CommandContext(ctx, "go", "mod", "download", "-json", "github.com/dtm-labs/dtm@"+dtmVersion).Output()
	if err != nil {
		return "", "", err
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		return "", "", err
	}
	folder := filepath.Join(testservers.CacheDir(), "dtm-"+dtmVersion)
	program, source = filepath.Join(folder, "dtm"), filepath.Join(folder, "source")
	if _, err := os.Stat(program); err == nil {
		return program, source, nil
	}
	if err := os.RemoveAll(source); err != nil {
		return "", "", err
	}
	if err := os.CopyFS(source, os.DirFS(module.Dir)); err != nil { // the module cache is read-only
		return "", "", err
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
	build.Dir, build.Env = source, append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	if text, err := build.CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("%w: %s", err, text)
	}
	return program, source, nil
}

func createDTMTables(ctx context.Context, database, source string) error {
	script, err := os.ReadFile(filepath.Join(source, "sqls", "dtmsvr.storage.postgres.sql"))
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	// psql's own commands, which choose a database, are not SQL.
	lines := strings.Split(string(script), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "\\") || strings.HasPrefix(line, "CREATE DATABASE") || strings.HasPrefix(line, "create database") {
			lines[i] = ""
		}
	}
	_, err = conn.Exec(ctx, strings.Join(lines, "\n"))
	return err
}

func (s *dtmServer) start(ctx context.Context, program, database string, connections int) error {
	u, err := url.Parse(database)
	if err != nil {
		return err
	}
	httpPort, err := freePort()
	if err != nil {
		return err
	}
	grpcPort, err := freePort()
	if err != nil {
		return err
	}
	password, _ := u.User.Password()
	config := fmt.Sprintf(`Store:
  Driver: postgres
  Host: %q
  Port: %s
  User: %q
  Password: %q
  Db: %q
  Schema: public
  MaxOpenConns: %d
  MaxIdleConns: %d
HttpPort: %s
GrpcPort: %s
LogLevel: error
`, u.Hostname(), u.Port(), u.User.Username(), password, strings.TrimPrefix(u.Path, "/"), connections, connections, httpPort, grpcPort)
	file := filepath.Join(s.folder, "conf.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(s.folder, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	s.process = exec.Command(program, "-c", file)
	s.process.Dir, s.process.Stdout, s.process.Stderr = s.folder, log, log
	if err := s.process.Start(); err != nil {
		return err
	}
	s.url = "http://127.0.0.1:" + httpPort
	return s.ready(ctx)
}

func (s *dtmServer) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/api/dtmsvr/newGid", nil)
		if err != nil {
			return err
		}
		if answer, err := http.DefaultClient.Do(r); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			text, _ := os.ReadFile(filepath.Join(s.folder, "log"))
			return fmt.Errorf("dtm did not come up: %.2000s", text)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *dtmServer) close() error {
	if s.process != nil && s.process.Process != nil {
		_ = s.process.Process.Signal(syscall.SIGTERM)
		_ = s.process.Wait()
	}
	return os.RemoveAll(s.folder)
}
