package auth_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/auth"
)

// A users file has people with passwords and programs with tokens.
func Example() {
	folder, err := os.MkdirTemp("", "users")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "users")
	if err := auth.AddUser(path, "ann", api.Operator, "correct horse"); err != nil {
		fmt.Println(err)
		return
	}
	token, err := auth.AddToken(path, "prometheus", api.Viewer, time.Time{})
	if err != nil {
		fmt.Println(err)
		return
	}
	users, err := auth.Load(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	person, err := users.Password(context.Background(), "ann", "correct horse", "192.0.2.1")
	fmt.Println(person.Name, person.Role, err)
	program, err := users.Token(token, "192.0.2.1")
	fmt.Println(program.Name, program.Role, err)
	_, err = users.Password(context.Background(), "ann", "battery staple", "192.0.2.1")
	fmt.Println(err)
	// Output:
	// ann operator <nil>
	// prometheus viewer <nil>
	// authentication needed: user or password is wrong
}
