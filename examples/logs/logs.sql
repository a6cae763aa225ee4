select user_id, count(*) as actions
from 'logs/*.csv'
group by user_id
order by actions desc, user_id
limit 5
