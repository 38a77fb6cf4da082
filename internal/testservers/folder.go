package testservers

import (
	"fmt"
	"os"
	"path/filepath"
)

// folder is where a server keeps its files.
type folder struct {
	path string
	own  bool // made here, so removed here
}

// makeFolder prepares dir, or a temporary folder where dir is empty, for a
// server that runs as the account.
func makeFolder(dir, kind string, a *account) (folder, error) {
	f := folder{path: dir, own: dir == ""}
	var err error
	if f.own {
		f.path, err = os.MkdirTemp("", "pabal-"+kind+"-")
	} else if f.path, err = filepath.Abs(dir); err == nil {
		err = os.MkdirAll(f.path, 0o700)
	}
	if err != nil {
		return folder{}, err
	}
	if err := f.handTo(a); err != nil {
		_ = f.remove()
		return folder{}, err
	}
	return f, nil
}

// makeMemoryFolder prepares a temporary folder for a server, where it can in memory.
func makeMemoryFolder(kind string) (folder, error) {
	path, err := os.MkdirTemp(Memory(), "pabal-"+kind+"-")
	return folder{path: path, own: true}, err
}

// handTo makes the account the owner of the folder.
func (f folder) handTo(a *account) error {
	if a == nil {
		return nil
	}
	for parent := filepath.Dir(f.path); ; parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if err != nil {
			return err
		}
		if !a.canEnter(info) {
			return fmt.Errorf("the server runs as user %s, who cannot enter %s: name a folder elsewhere, or none for a temporary one", a.name, parent)
		}
		if parent == filepath.Dir(parent) {
			return os.Chown(f.path, a.uid, a.gid)
		}
	}
}

func (f folder) file(name string) string { return filepath.Join(f.path, name) }

// data is the part that the server itself writes.
func (f folder) data() string { return f.file("data") }

func (f folder) remove() error {
	if !f.own {
		return nil
	}
	return os.RemoveAll(f.path)
}

// discard removes what a failed start left, so that the next try finds the
// folder as it was.
func (f folder) discard() error {
	if f.own {
		return f.remove()
	}
	return os.RemoveAll(f.data())
}
