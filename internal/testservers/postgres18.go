package testservers

import (
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
)

// StartPostgres18 is StartPostgres of the binaries that FindPostgres18 finds, in a temporary folder.
func StartPostgres18(ctx context.Context, settings ...string) (*Server, error) {
	installed, err := FindPostgres18()
	if err != nil {
		return nil, err
	}
	return startPostgres(ctx, "", func(pg *postgres) (*Server, error) {
		if err := pg.reach(installed); err != nil {
			return nil, fmt.Errorf("make PostgreSQL 18 reachable for the user that runs it: %w", err)
		}
		return pg.server(ctx, settings)
	})
}

// StartStandby18 makes a hot standby of a server of StartPostgres18, which it stops meanwhile and restarts, and
// starts it with further settings. It has the same passwords and databases; connection is its
// primary_conninfo, but for the host, port, user and password.
func StartStandby18(ctx context.Context, primary *Server, connection string, settings ...string) (*Server, error) {
	installed, err := FindPostgres18()
	if err != nil {
		return nil, err
	}
	where, err := url.Parse(primary.URL)
	if err != nil {
		return nil, err
	}
	password, _ := where.User.Password()
	return startPostgres(ctx, "", func(pg *postgres) (*Server, error) {
		if err := pg.reach(installed); err != nil {
			return nil, fmt.Errorf("make PostgreSQL 18 reachable for the user that runs it: %w", err)
		}
		if err := primary.Stop(); err != nil {
			return nil, err
		}
		copied := exec.CommandContext(ctx, "cp", "-a", primary.folder.data(), pg.folder.data())
		if out, err := copied.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("copy the primary: %w: %s", err, out)
		}
		if err := primary.Restart(ctx); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(pg.folder.data(), "standby.signal"), nil, 0o644); err != nil {
			return nil, err
		}
		conninfo := fmt.Sprintf("primary_conninfo = 'host=%s port=%s user=%s password=%s %s'", where.Hostname(), where.Port(), PostgresUser, password, connection)
		return pg.serve(password, append(settings, conninfo))
	})
}

// reach the binaries of a folder. A user that may not enter it gets links to its files.
func (pg *postgres) reach(installed string) error {
	pg.bin = filepath.Join(installed, "bin")
	if pg.user == nil {
		return nil
	}
	here := pg.folder.file("installed")
	pg.bin = filepath.Join(here, "bin")
	return filepath.WalkDir(installed, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(installed, path)
		if err != nil {
			return err
		}
		to := filepath.Join(here, relative)
		switch {
		case entry.IsDir():
			return os.MkdirAll(to, 0o755)
		case entry.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(target, to)
		}
		return linkOrCopy(path, to)
	})
}

// linkOrCopy a file, which may be on another file system.
func linkOrCopy(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, info.Mode().Perm())
}
