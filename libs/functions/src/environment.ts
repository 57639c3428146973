/** What the process of a function has where nothing else is said. The agent's own environment is not handed down: it holds secrets. */
export const defaultEnvironment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
};
