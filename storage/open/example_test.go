package open_test

import (
	"context"
	"fmt"

	"github.com/pabal-dev/pabal/storage/open"
)

// What is no connection string is refused, with the forms there are.
func ExampleDB() {
	_, err := open.DB(context.Background(), "mysql://localhost/shop", open.Config{})
	fmt.Println(err)
	// Output: no database has the scheme "mysql:", use sqlite:/path/file.db or postgres://user:password@host:5432/database
}
