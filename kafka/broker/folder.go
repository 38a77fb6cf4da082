package broker

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// folder is a data folder that this process alone has.
type folder struct {
	dir       string
	lock      *os.File
	clusterID string
}

// openFolder makes the folder where it is missing, locks it, and gives it a
// cluster id that stays.
func openFolder(dir string) (*folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	path := filepath.Join(dir, "lock")
	lock, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("data folder %s: %w", dir, err)
	}
	if err := lockFile(lock); err != nil {
		holder, _ := os.ReadFile(path)
		lock.Close()
		return nil, fmt.Errorf("%w: %s (process %s); stop that one or choose another folder", ErrFolderInUse, dir, orUnknown(holder))
	}
	f := &folder{dir: dir, lock: lock}
	if err := f.begin(); err != nil {
		f.close()
		return nil, fmt.Errorf("data folder %s: %w", dir, err)
	}
	return f, nil
}

func orUnknown(holder []byte) string {
	if name := strings.TrimSpace(string(holder)); name != "" {
		return name
	}
	return "unknown"
}

// begin notes who has the lock and reads or makes the cluster id.
func (f *folder) begin() error {
	if err := f.lock.Truncate(0); err != nil {
		return err
	}
	if _, err := f.lock.WriteAt([]byte(fmt.Sprintln(os.Getpid())), 0); err != nil {
		return err
	}
	path := filepath.Join(f.dir, "cluster-id")
	id, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		f.clusterID = newClusterID()
		return os.WriteFile(path, []byte(f.clusterID+"\n"), 0o644)
	}
	f.clusterID = strings.TrimSpace(string(id))
	if raw, bad := base64.RawURLEncoding.DecodeString(f.clusterID); err == nil && (bad != nil || len(raw) != 16) {
		return fmt.Errorf("%s holds no cluster id; restore it or choose another folder", path)
	}
	return err
}

// logs is where the log's own files are.
func (f *folder) logs() string { return filepath.Join(f.dir, "log") }

// close releases the lock; a nil folder has none.
func (f *folder) close() {
	if f != nil {
		f.lock.Close()
	}
}

// newClusterID has the form Apache Kafka gives its own: 16 random bytes,
// base64url.
func newClusterID() string {
	var id [16]byte
	rand.Read(id[:])
	return base64.RawURLEncoding.EncodeToString(id[:])
}
