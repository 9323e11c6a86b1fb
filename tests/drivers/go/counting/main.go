// Increments through one address by the official Go driver: counting CLIENTS HOST:PORT. See ../../README.md.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/neo4j/neo4j-go-driver/v5/neo4j"
)

const (
	increment = "MATCH (c:Counter {number: $number}) SET c.n = c.n + 1 RETURN c.n"
	read      = "MATCH (c:Counter {number: $number}) RETURN c.n"
	counters  = 4
)

type report struct {
	mutex  sync.Mutex
	Done   int      `json:"done"`
	Failed []string `json:"failed"`
	Unseen int      `json:"unseen"`
}

// A client of one of the four ways: bolt:// or neo4j://, transaction functions or statements by themselves.
type client struct {
	session    neo4j.SessionWithContext
	name       string
	inFunction bool
	number     int
}

func (r *report) note(change func()) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	change()
}

func single(ctx context.Context, result neo4j.ResultWithContext, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	record, err := result.Single(ctx)
	if err != nil {
		return nil, err
	}
	return record.Values[0], nil
}

func (c *client) work(ctx context.Context, text string) neo4j.ManagedTransactionWork {
	return func(tx neo4j.ManagedTransaction) (any, error) {
		result, err := tx.Run(ctx, text, map[string]any{"number": c.number})
		return single(ctx, result, err)
	}
}

func (c *client) increment(ctx context.Context) (any, error) {
	if c.inFunction {
		return c.session.ExecuteWrite(ctx, c.work(ctx, increment))
	}
	result, err := c.session.Run(ctx, increment, map[string]any{"number": c.number})
	return single(ctx, result, err)
}

func (c *client) count(ctx context.Context, r *report, stopping *atomic.Bool) {
	defer c.session.Close(ctx)
	for !stopping.Load() {
		n, err := c.increment(ctx)
		var seen any
		if err == nil {
			r.note(func() { r.Done++ })
			seen, err = c.session.ExecuteRead(ctx, c.work(ctx, read))
		}
		if err != nil {
			r.note(func() { r.Failed = append(r.Failed, fmt.Sprintf("%s: %T: %v", c.name, err, err)) })
			return
		}
		if seen.(int64) < n.(int64) {
			r.note(func() { r.Unseen++ })
		}
	}
}

func main() {
	ctx := context.Background()
	clients, _ := strconv.Atoi(os.Args[1])
	var drivers [2]neo4j.DriverWithContext
	schemes := [2]string{"bolt", "neo4j"}
	for i, scheme := range schemes {
		driver, err := neo4j.NewDriverWithContext(scheme+"://"+os.Args[2], neo4j.NoAuth())
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		defer driver.Close(ctx)
		drivers[i] = driver
	}
	r := &report{Failed: []string{}}
	var stopping atomic.Bool
	var running sync.WaitGroup
	for i := 0; i < clients; i++ {
		inFunction := i/2%2 == 0
		c := &client{drivers[i%2].NewSession(ctx, neo4j.SessionConfig{DatabaseName: "neo4j"}), fmt.Sprint(schemes[i%2], " ", inFunction), inFunction, i % counters}
		running.Add(1)
		go func() {
			defer running.Done()
			c.count(ctx, r, &stopping)
		}()
	}
	_, _ = io.ReadAll(os.Stdin)
	stopping.Store(true)
	running.Wait()
	text, _ := json.Marshal(r)
	fmt.Println(string(text))
}
