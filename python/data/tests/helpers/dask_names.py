"""The public names of Dask 2026.8: those that programs may use."""

from __future__ import annotations

MODULE = """
    Aggregation DataFrame Index Scalar Series assert_eq compute concat from_array from_dask_array
    from_delayed from_dict from_graph from_map from_pandas get_dummies isna map_overlap map_partitions melt
    merge merge_asof pivot_table read_csv read_fwf read_hdf read_json read_orc read_parquet read_sql
    read_sql_query read_sql_table read_table repartition to_bag to_csv to_datetime to_hdf to_json to_numeric
    to_orc to_parquet to_records to_sql to_timedelta
""".split()

DISTRIBUTED = """
    Actor ActorFuture Adaptive BaseActorFuture CancelledError Client CompatibleExecutor CondaInstall Environ
    Event Future InstallPlugin KilledWorker LocalCluster Lock MultiLock Nanny NannyPlugin PipInstall Queue
    Reschedule SSHCluster Scheduler SchedulerPlugin Security Semaphore SpecCluster Status SubprocessCluster
    TimeoutError UploadDirectory UploadFile Variable Worker WorkerPlugin as_completed config connect dask
    default_client fire_and_forget futures_of get_client get_task_metadata get_task_stream get_worker
    local_client performance_report print progress rejoin rpc secede span sync wait warn widgets worker_client
""".split()

FRAME = """
    abs add add_prefix add_suffix align all analyze any apply assign astype axes bfill categorize
    clear_divisions clip columns combine combine_first compute compute_current_divisions copy corr count cov
    cummax cummin cumprod cumsum dask describe diff div divide divisions dot drop drop_duplicates dropna dtypes
    empty enforce_runtime_divisions eq eval explain explode expr ffill fillna floordiv from_dict ge
    get_partition groupby gt head idxmax idxmin iloc index info isin isna isnull items iterrows itertuples join
    known_divisions kurt kurtosis le loc lower_once lt map map_overlap map_partitions mask max mean median
    median_approximate melt memory_usage memory_usage_per_partition merge min mod mode mul nbytes ndim ne
    nlargest notnull npartitions nsmallest nunique nunique_approx optimize partitions persist pipe pivot_table
    pop pow pprint prod product quantile query radd random_split rdiv reduction rename rename_axis repartition
    replace resample reset_index rfloordiv rmod rmul rolling round rpow rsub rtruediv sample select_dtypes sem
    set_index shape shift shuffle simplify size skew sort_values squeeze std sub sum tail to_backend to_bag
    to_csv to_dask_array to_delayed to_hdf to_html to_json to_orc to_parquet to_records to_sql to_string
    to_timestamp truediv values var visualize where
""".split()

SERIES = """
    abs add add_prefix add_suffix align all analyze any apply astype autocorr axes between bfill case_when cat
    clear_divisions clip columns combine combine_first compute compute_current_divisions copy corr count cov
    cummax cummin cumprod cumsum dask describe diff div divide divisions dot drop_duplicates dropna dt dtype
    dtypes enforce_runtime_divisions eq explain explode expr ffill fillna floordiv from_dict ge get_partition
    groupby gt head idxmax idxmin index is_monotonic_decreasing is_monotonic_increasing isin isna isnull
    known_divisions kurt kurtosis le loc lower_once lt map map_overlap map_partitions mask max mean median
    median_approximate memory_usage memory_usage_per_partition min mod mode mul name nbytes ndim ne nlargest
    notnull npartitions nsmallest nunique nunique_approx optimize partitions persist pipe pow pprint prod
    product quantile radd random_split rdiv reduction rename rename_axis repartition replace resample
    reset_index rfloordiv rmod rmul rolling round rpow rsub rtruediv sample sem shape shift shuffle simplify
    size skew squeeze std str sub sum tail to_backend to_bag to_csv to_dask_array to_delayed to_frame to_hdf
    to_json to_orc to_records to_sql to_string to_timestamp truediv unique value_counts values var visualize
    where
""".split()

GROUPBY = """
    agg aggregate apply bfill compute corr count cov cumcount cumprod cumsum ffill first get_group head idxmax
    idxmin last max mean median min prod rolling shift size std sum tail transform var
""".split()

SERIES_GROUPBY = """
    agg aggregate apply bfill compute corr count cov cumcount cumprod cumsum ffill first get_group head idxmax
    idxmin last max mean median min nunique prod rolling shift size std sum tail transform unique value_counts
    var
""".split()

SCALAR = """
    abs align all analyze any astype bfill clear_divisions columns combine_first compute
    compute_current_divisions copy count cummax cummin cumprod cumsum dask diff divisions dot dtype dtypes
    enforce_runtime_divisions explain expr ffill fillna from_dict get_partition head idxmax idxmin index isin
    isna isnull known_divisions kurt kurtosis loc lower_once map_overlap map_partitions mask max mean
    memory_usage_per_partition min nbytes notnull npartitions nunique_approx optimize partitions persist pipe
    pprint prod product random_split reduction rename_axis repartition replace resample reset_index rolling
    round sample sem shift shuffle simplify size skew std sum tail to_backend to_bag to_csv to_dask_array
    to_delayed to_hdf to_json to_orc to_records to_series to_sql to_timestamp values var visualize where
""".split()

CLIENT = """
    amm as_current asynchronous benchmark_hardware call_stack cancel close compute current dashboard_link
    dump_cluster_state forward_logging futures_of gather get get_dataset get_events get_executor get_metadata
    get_scheduler_logs get_task_stream get_versions get_worker_logs has_what list_datasets log_event loop map
    nbytes ncores normalize_collection nthreads persist processing profile publish_dataset rebalance
    register_plugin register_worker_callbacks replicate restart restart_workers retire_workers retry run
    run_on_scheduler scatter scheduler_info set_metadata shutdown start story submit subscribe_topic sync
    unforward_logging unpublish_dataset unregister_scheduler_plugin unregister_worker_plugin unsubscribe_topic
    upload_file wait_for_workers who_has write_scheduler_file
""".split()

CLUSTER = """
    adapt asynchronous called_from_running_loop close dashboard_link from_name get_client get_logs loop name
    new_worker_spec observed plan requested scale scale_down scale_up scheduler_address start_worker sync
    wait_for_workers
""".split()

FUTURE = """
    add_done_callback bind_client cancel cancelled client done exception executor key release result retry
    status substitute traceback type
""".split()

AS_COMPLETED = """
    add batches clear condition count has_ready is_empty next_batch update
""".split()
