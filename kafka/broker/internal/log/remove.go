package log

import (
	"errors"
	"io/fs"
	"path"

	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
)

// Remove removes the folder of a log that is closed, with all that is in it, and makes
// that last. A folder that is not there is none to remove.
func Remove(fsys vfs.FS, dir string) error {
	names, err := fsys.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, name := range names {
		if gone := fsys.Remove(dir + "/" + name); !errors.Is(gone, fs.ErrNotExist) { // a reader's last segment
			err = errors.Join(err, gone)
		}
	}
	if err != nil {
		return err
	}
	if err := fsys.SyncDir(dir); err != nil {
		return err
	}
	if err := fsys.Remove(dir); err != nil {
		return err
	}
	return fsys.SyncDir(path.Dir(dir))
}
