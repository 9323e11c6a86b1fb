// Transaction functions through the official Go driver while leaders die: failover URI. See ../../README.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/neo4j/neo4j-go-driver/v5/neo4j"
)

const name = "go 5"

type failure struct {
	Id     string `json:"id"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

type report struct {
	mutex        sync.Mutex
	Acknowledged []string       `json:"acknowledged"`
	Unknown      []string       `json:"unknown"`
	Failed       []failure      `json:"failed"`
	Unseen       []string       `json:"unseen"`
	Readers      map[string]int `json:"readers"`
}

func (r *report) note(change func()) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	change()
}

type seen struct {
	count   int64
	address string
}

func write(ctx context.Context, id string) neo4j.ManagedTransactionWork {
	return func(tx neo4j.ManagedTransaction) (any, error) {
		result, err := tx.Run(ctx, "MERGE (w:Written {id: $id}) RETURN w.id", map[string]any{"id": id})
		if err != nil {
			return nil, err
		}
		return result.Consume(ctx)
	}
}

func read(ctx context.Context, id string) neo4j.ManagedTransactionWork {
	return func(tx neo4j.ManagedTransaction) (any, error) {
		result, err := tx.Run(ctx, "MATCH (w:Written {id: $id}) RETURN count(w)", map[string]any{"id": id})
		if err != nil {
			return nil, err
		}
		record, err := result.Single(ctx)
		if err != nil {
			return nil, err
		}
		summary, err := result.Consume(ctx)
		if err != nil {
			return nil, err
		}
		return seen{record.Values[0].(int64), summary.Server().Address()}, nil
	}
}

// One write and, behind its bookmark, one read on whoever takes reads.
func writeAndRead(ctx context.Context, driver neo4j.DriverWithContext, r *report, id string) error {
	session := driver.NewSession(ctx, neo4j.SessionConfig{})
	defer session.Close(ctx)
	if _, err := session.ExecuteWrite(ctx, write(ctx, id)); err != nil {
		return err
	}
	r.note(func() { r.Acknowledged = append(r.Acknowledged, id) })
	found, err := session.ExecuteRead(ctx, read(ctx, id))
	if err != nil {
		return err
	}
	r.note(func() {
		r.Readers[found.(seen).address]++
		if found.(seen).count != 1 {
			r.Unseen = append(r.Unseen, id)
		}
	})
	return nil
}

// The driver does not run a function again whose commit may have succeeded.
func isUnknown(err error) bool {
	var lost *neo4j.ConnectivityError
	return errors.As(err, &lost) && strings.Contains(err.Error(), "Connection lost during commit")
}

func (r *report) fail(id string, err error) {
	r.note(func() {
		if isUnknown(err) {
			r.Unknown = append(r.Unknown, id)
		} else {
			r.Failed = append(r.Failed, failure{id, codeOf(err), err.Error()})
		}
	})
}

func codeOf(err error) string {
	var told *neo4j.Neo4jError
	if errors.As(err, &told) {
		return told.Code
	}
	return fmt.Sprintf("%T", err)
}

func main() {
	ctx := context.Background()
	fmt.Printf("{\"driver\": %q}\n", name)
	driver, err := neo4j.NewDriverWithContext(os.Args[1], neo4j.NoAuth())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	r := &report{Acknowledged: []string{}, Unknown: []string{}, Failed: []failure{}, Unseen: []string{}, Readers: map[string]int{}}
	var stopping atomic.Bool
	var writers sync.WaitGroup
	for number := 0; number < 2; number++ {
		writers.Add(1)
		go func(number int) {
			defer writers.Done()
			for i := 0; !stopping.Load(); i++ {
				id := fmt.Sprintf("%s/%d/%d", name, number, i)
				if err := writeAndRead(ctx, driver, r, id); err != nil {
					r.fail(id, err)
				}
				if i == 0 {
					r.note(func() { fmt.Printf("{\"ready\": %d}\n", number) })
				}
				time.Sleep(5 * time.Millisecond)
			}
		}(number)
	}
	_, _ = io.ReadAll(os.Stdin)
	stopping.Store(true)
	writers.Wait()
	text, _ := json.Marshal(r)
	fmt.Println(string(text))
	driver.Close(ctx)
}
